# Manual pages and completion of the programs, made from their --help when they are built, so that they cannot differ.
find_program(VAECUDA_AWK NAMES awk mawk gawk)
find_program(VAECUDA_GZIP gzip)
set(vaecuda_pages_folder "${CMAKE_CURRENT_LIST_DIR}")

# Usage: vaecuda_pages(PROGRAM): a target of this tree
function(vaecuda_pages program)
  if(NOT VAECUDA_AWK OR CMAKE_CROSSCOMPILING)
    message(STATUS "vaecuda: no manual page for ${program}: it needs awk and a program that runs here")
    return()
  endif()
  set(folder "${PROJECT_BINARY_DIR}/pages")
  set(manual "${folder}/${program}.1")
  set(pack)
  if(VAECUDA_GZIP)
    set(pack COMMAND "${VAECUDA_GZIP}" -9nf "${manual}")
    string(APPEND manual ".gz")
  endif()
  add_custom_command(OUTPUT "${manual}" "${folder}/${program}.bash"
    COMMAND "${CMAKE_COMMAND}" -E env "AWK=${VAECUDA_AWK}" "${vaecuda_pages_folder}/make_pages.sh"
      "$<TARGET_FILE:${program}>" ${program} ${PROJECT_VERSION} "${folder}"
    ${pack}
    DEPENDS ${program} "${vaecuda_pages_folder}/make_pages.sh" "${vaecuda_pages_folder}/help.awk"
      "${vaecuda_pages_folder}/man.awk" "${vaecuda_pages_folder}/completion.awk"
    COMMENT "Making the manual page of ${program}" VERBATIM)
  add_custom_target(${program}_pages ALL DEPENDS "${manual}" "${folder}/${program}.bash")
  install(FILES "${manual}" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1" COMPONENT tools)
  install(FILES "${folder}/${program}.bash" DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions"
    RENAME ${program} COMPONENT tools)
endfunction()
