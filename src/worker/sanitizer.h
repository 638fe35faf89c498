/* sanitizer: whether this translation unit is built with AddressSanitizer, whose run time needs
 * more memory and a few more system calls than a confined worker may have. Header only. */
#ifndef REELD_WORKER_SANITIZER_H
#define REELD_WORKER_SANITIZER_H

#if defined(__SANITIZE_ADDRESS__)
#define REELD_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define REELD_SANITIZED 1
#endif
#endif

#ifndef REELD_SANITIZED
#define REELD_SANITIZED 0
#endif

#endif
