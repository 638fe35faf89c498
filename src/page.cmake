# A packed copy of web/ beside the daemon, which serves that rather than web/ itself: script bundled and minified, views that are fetched
# later in files of their own, the rest as it stands. The page runs from its sources as well; this is only smaller.
set(page_source ${PROJECT_SOURCE_DIR}/web)
set(page_copy ${CMAKE_BINARY_DIR}/web)
if(page_copy STREQUAL page_source)
  message(STATUS "The page is not packed: a build in the source tree has the sources beside the daemon")
  return()
endif()

set(page_why "REELD_PACK_PAGE is off")
if(REELD_PACK_PAGE)
  find_program(ESBUILD esbuild NO_CACHE)
  set(page_why "there is no esbuild")
endif()
if(NOT REELD_PACK_PAGE OR NOT ESBUILD)
  message(STATUS "The page is not packed, ${page_why}: it is served from web/ as it stands")
  # One of an earlier build would be served, and grow old.
  file(REMOVE_RECURSE ${page_copy})
  return()
endif()

file(GLOB_RECURSE page_scripts CONFIGURE_DEPENDS RELATIVE ${page_source} ${page_source}/*.js)
file(GLOB_RECURSE page_styles CONFIGURE_DEPENDS RELATIVE ${page_source} ${page_source}/*.css)
file(GLOB_RECURSE page_others CONFIGURE_DEPENDS RELATIVE ${page_source} ${page_source}/*.html ${page_source}/*.svg ${page_source}/*.json)
set(page_files ${page_scripts} ${page_styles} ${page_others})
list(TRANSFORM page_files PREPEND ${page_source}/)

# What index.html names keeps its name; only what app.js fetches has another. The copy is put in place when it is whole.
set(page_new ${page_copy}.new)
set(page_copying)
foreach(other IN LISTS page_others)
  list(APPEND page_copying COMMAND ${CMAKE_COMMAND} -E copy ${other} ${page_new}/${other})
endforeach()
add_custom_command(OUTPUT ${page_copy}/index.html
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${page_new}
  COMMAND ${ESBUILD} app.js ${page_styles} --bundle --splitting --format=esm --minify --target=es2022 --log-level=warning --outdir=${page_new}
  ${page_copying}
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${page_copy}
  COMMAND ${CMAKE_COMMAND} -E rename ${page_new} ${page_copy}
  WORKING_DIRECTORY ${page_source}
  DEPENDS ${page_files}
  COMMENT "Packing the page"
  VERBATIM)
add_custom_target(page ALL DEPENDS ${page_copy}/index.html)
add_dependencies(reeld page)
