#include "reeld/base.h"

const char *rl_err_text(enum rl_err err)
{
    switch (err) {
    case RL_OK:
        return "no error";
    case RL_ENOMEM:
        return "out of memory";
    case RL_EINVAL:
        return "invalid value";
    case RL_ENOTFOUND:
        return "not found";
    case RL_EEXIST:
        return "already exists";
    case RL_ECONFLICT:
        return "not possible in this state";
    case RL_EPERM:
        return "not allowed";
    case RL_EBUSY:
        return "busy";
    case RL_EAGAIN:
        return "not done yet";
    case RL_EFULL:
        return "no space left";
    case RL_EIO:
        return "input or output failed";
    case RL_EVERSION:
        return "made by another version";
    }
    return "unknown error";
}
