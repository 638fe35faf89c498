#!/usr/bin/env bash
# library.sh DIR [N]: N files (default 2000) of eleven container and codec pairs, copies of eleven masters that ffmpeg makes, each
# with an end of its own: no two have the same content.
# Deterministic; does nothing for what is there.
set -euo pipefail
dir=${1:?usage: library.sh DIR [N]}
n=${2:-2000}
[ -e "$dir/.complete-unlike-$n" ] && exit 0
mkdir -p "$dir/masters" "$dir/library"

# master FILE SIZE RATE SECONDS [ffmpeg option…]
master() {
  local file=$dir/masters/$1 size=$2 rate=$3 seconds=$4
  shift 4
  [ -s "$file" ] && return
  ffmpeg -nostdin -loglevel error -y -f lavfi -i "testsrc2=size=$size:rate=$rate,noise=alls=8:allf=t:all_seed=7,format=yuv420p" \
    -f lavfi -i "sine=frequency=440:sample_rate=48000" -t "$seconds" "$@" "$dir/.part.${file##*.}"
  mv "$dir/.part.${file##*.}" "$file"
}
x264=(-c:v libx264 -preset veryfast -b:v 1500k -g 120)
master h264_aac.mp4 1280x720 25 10 "${x264[@]}" -c:a aac
master h264_aac_1080p.mp4 1920x1080 30 8 "${x264[@]}" -c:a aac -ac 2
master hevc_ac3.mkv 1920x1080 24000/1001 6 -c:v libx265 -preset ultrafast -x265-params log-level=none -c:a ac3
master vp9_opus.webm 1280x720 30 5 -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 1M -c:a libopus
master h264_aac.mov 1280x720 30 8 "${x264[@]}" -c:a aac
master mpeg4_mp3.avi 640x480 25 20 -c:v mpeg4 -b:v 800k -c:a libmp3lame
master h264_ac3.ts 1280x720 50 6 "${x264[@]}" -c:a ac3
master mpeg2_mp2.mpg 720x576 25 10 -c:v mpeg2video -b:v 3M -c:a mp2
master theora_vorbis.ogv 640x360 30 10 -c:v libtheora -b:v 800k -c:a libvorbis
master h264_aac.flv 640x360 30 10 "${x264[@]}" -c:a aac
master wmv2_wmav2.wmv 640x480 25 10 -c:v wmv2 -b:v 800k -c:a wmav2

# How many of a hundred are of each kind: what people keep is mostly MP4 and Matroska.
plan=()
weight() { for ((k = 0; k < $2; k++)); do plan+=("$1"); done; }
weight h264_aac.mp4 36
weight h264_aac_1080p.mp4 14
weight hevc_ac3.mkv 14
weight vp9_opus.webm 9
weight h264_aac.mov 5
weight mpeg4_mp3.avi 8
weight h264_ac3.ts 4
weight mpeg2_mp2.mpg 2
weight theora_vorbis.ogv 2
weight h264_aac.flv 4
weight wmv2_wmav2.wmv 2
# own_end NAME NUMBER: what the container lets stand behind its last frame.
own_end() {
  case $1 in
  *.mp4 | *.mov) printf '\0\0\0\x20free%-24s' "$2" ;;
  *.mkv | *.webm) printf '\xec\x9e%-30s' "$2" ;;
  *.ts) printf '\x47\x1f\xff\x10%-184s' "$2" ;;
  *.mpg) printf '\0\0\x01\xbe\0\x20\xff%-31s' "$2" ;;
  *) printf '%-32s' "$2" ;;
  esac
}
for ((i = 0; i < n; i++)); do
  name=${plan[i * 37 % 100]}
  folder=$dir/library/$(printf 'folder%03d' $((i / 40)))
  [ $((i % 40)) = 0 ] && mkdir -p "$folder"
  file=$folder/$(printf '%05d_%s' "$i" "$name")
  cp --reflink=auto "$dir/masters/$name" "$file"
  own_end "$name" "$i" >>"$file"
done
touch "$dir/.complete-unlike-$n"
