# Debian packages by cpack. Configure with -DCMAKE_INSTALL_PREFIX=/usr, so that the libraries go to the multiarch folder:
#   cmake --preset packages && cmake --build --preset packages && cpack --config build/packages/CPackConfig.cmake
set(VAECUDA_MAINTAINER "The vaecuda authors <maintainers@vaecuda.invalid>" CACHE STRING "Maintainer named in packages")
mark_as_advanced(VAECUDA_MAINTAINER)

set(vaecuda_package_release 1)
set(vaecuda_package_version ${PROJECT_VERSION}-${vaecuda_package_release})
set(vaecuda_lib_package libvaecuda${vaecuda_soversion})

set(CPACK_GENERATOR DEB)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_PACKAGE_NAME vaecuda)
set(CPACK_PACKAGE_CONTACT "${VAECUDA_MAINTAINER}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${vaecuda_package_release})
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

if(VAECUDA_GZIP)
  # Debian's own list of changes, which every package has to carry beside the project's.
  string(TIMESTAMP vaecuda_package_date "%a, %d %b %Y %H:%M:%S +0000" UTC)
  file(WRITE "${PROJECT_BINARY_DIR}/generated/changelog.Debian" "vaecuda (${vaecuda_package_version}) unstable; urgency=medium

  * Version ${PROJECT_VERSION}; its changes are in changelog.gz.

 -- ${VAECUDA_MAINTAINER}  ${vaecuda_package_date}
")
  configure_file("${PROJECT_SOURCE_DIR}/CHANGELOG.md" "${PROJECT_BINARY_DIR}/generated/changelog" COPYONLY)
  foreach(file changelog changelog.Debian)
    execute_process(COMMAND "${VAECUDA_GZIP}" -9nfk "${PROJECT_BINARY_DIR}/generated/${file}" COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
endif()

# A macro, since cpack reads variables of this scope.
# Usage: vaecuda_package(COMPONENT NAME SECTION DEPENDS DESCRIPTION-LINE...)
macro(vaecuda_package component name section depends)
  string(TOUPPER ${component} vaecuda_upper)
  set(CPACK_DEBIAN_${vaecuda_upper}_PACKAGE_NAME ${name})
  set(CPACK_DEBIAN_${vaecuda_upper}_PACKAGE_SECTION ${section})
  set(CPACK_DEBIAN_${vaecuda_upper}_PACKAGE_DEPENDS "${depends}")
  set(CPACK_DEBIAN_${vaecuda_upper}_PACKAGE_SHLIBDEPS ON)
  string(REPLACE ";" "\n" CPACK_COMPONENT_${vaecuda_upper}_DESCRIPTION "${ARGN}")
  list(APPEND CPACK_COMPONENTS_ALL ${component})
  install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION share/doc/${name} RENAME copyright
    COMPONENT ${component} EXCLUDE_FROM_ALL)
  if(VAECUDA_GZIP)
    install(FILES "${PROJECT_BINARY_DIR}/generated/changelog.gz" "${PROJECT_BINARY_DIR}/generated/changelog.Debian.gz"
      DESTINATION share/doc/${name} COMPONENT ${component} EXCLUDE_FROM_ALL)
  endif()
endmacro()
set(CPACK_COMPONENTS_ALL)
vaecuda_package(lib ${vaecuda_lib_package} libs ""
  "The shared library, with its C++ and C interface. It trains variational"
  "autoencoders and uses trained ones.")
# What cpack would write ties every program to this very version, and has no trigger.
file(WRITE "${PROJECT_BINARY_DIR}/generated/shlibs" "libvaecuda ${vaecuda_soversion} ${vaecuda_lib_package} (>= ${PROJECT_VERSION})\n")
file(WRITE "${PROJECT_BINARY_DIR}/generated/triggers" "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_LIB_PACKAGE_CONTROL_EXTRA "${PROJECT_BINARY_DIR}/generated/shlibs" "${PROJECT_BINARY_DIR}/generated/triggers")
vaecuda_package(dev libvaecuda-dev libdevel
  "${vaecuda_lib_package} (= ${vaecuda_package_version}), libfmt-dev, libpng-dev, zlib1g-dev"
  "Headers, static library, package files for CMake and pkg-config, and the"
  "Python module.")
vaecuda_package(tools vaecuda-tools science ""
  "Programs that train variational autoencoders from files, use trained models,"
  "and measure the speed of both. They need no other package of vaecuda.")
if(TARGET vaecuda_cuda)
  vaecuda_package(cuda ${vaecuda_lib_package}-cuda libs ""
    "The CUDA backend, which the library and the programs open where an NVIDIA"
    "GPU is wanted. It has to come from the same build as they do.")
endif()

include(CPack)
