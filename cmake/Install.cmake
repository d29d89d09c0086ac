# What `cmake --install` lays down: libraries, headers, package files for CMake and pkg-config. Every path in them is
# relative to the file itself, so that the prefix can be moved. Programs and their pages: tools/CMakeLists.txt.
include(CMakePackageConfigHelpers)

set(vaecuda_config_folder "${CMAKE_INSTALL_LIBDIR}/cmake/vaecuda")
set_target_properties(vaecuda PROPERTIES EXPORT_NAME static)
set_target_properties(vaecuda_shared PROPERTIES EXPORT_NAME shared)
install(TARGETS vaecuda_shared EXPORT vaecuda_shared_targets
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT lib NAMELINK_COMPONENT dev
  INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(TARGETS vaecuda EXPORT vaecuda_static_targets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT dev
  INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
foreach(kind shared static)
  install(EXPORT vaecuda_${kind}_targets NAMESPACE vaecuda:: FILE vaecuda-${kind}.cmake
    DESTINATION "${vaecuda_config_folder}" COMPONENT dev)
endforeach()
if(TARGET vaecuda_cuda)
  install(TARGETS vaecuda_cuda LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT cuda)
endif()
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/vaecuda" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT dev)

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/vaecudaConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/generated/vaecudaConfig.cmake" INSTALL_DESTINATION "${vaecuda_config_folder}"
  NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change the interface.
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(vaecuda_compatibility SameMinorVersion)
else()
  set(vaecuda_compatibility SameMajorVersion)
endif()
write_basic_package_version_file("${PROJECT_BINARY_DIR}/generated/vaecudaConfigVersion.cmake"
  COMPATIBILITY ${vaecuda_compatibility})
install(FILES "${PROJECT_BINARY_DIR}/generated/vaecudaConfig.cmake"
  "${PROJECT_BINARY_DIR}/generated/vaecudaConfigVersion.cmake"
  DESTINATION "${vaecuda_config_folder}" COMPONENT dev)

# pkg-config: the prefix by the number of folders from the file up to it, which differs between lib and lib/<triple>.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" OR IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
  set(vaecuda_pc_prefix "${CMAKE_INSTALL_PREFIX}")
  set(vaecuda_pc_libdir "${CMAKE_INSTALL_FULL_LIBDIR}")
  set(vaecuda_pc_includedir "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
else()
  file(RELATIVE_PATH vaecuda_pc_prefix "/p/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/p")
  set(vaecuda_pc_prefix "\${pcfiledir}/${vaecuda_pc_prefix}")
  set(vaecuda_pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
  set(vaecuda_pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
# The OpenMP library by its name: libgomp for g++, libomp for clang.
set(vaecuda_pc_private "")
foreach(name ${OpenMP_CXX_LIB_NAMES})
  if(NOT name STREQUAL "pthread")
    string(APPEND vaecuda_pc_private "-l${name} ")
  endif()
endforeach()
foreach(name ${CMAKE_CXX_IMPLICIT_LINK_LIBRARIES})
  if(name MATCHES "^(stdc\\+\\+|c\\+\\+|m)$")
    string(APPEND vaecuda_pc_private "-l${name} ")
  endif()
endforeach()
foreach(name pthread ${CMAKE_DL_LIBS})
  string(APPEND vaecuda_pc_private "-l${name} ")
endforeach()
string(STRIP "${vaecuda_pc_private}" vaecuda_pc_private)
configure_file("${CMAKE_CURRENT_LIST_DIR}/vaecuda.pc.in" "${PROJECT_BINARY_DIR}/generated/vaecuda.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/generated/vaecuda.pc"
  DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT dev)

# Configurations to start from, where the tree has some.
if(IS_DIRECTORY "${PROJECT_SOURCE_DIR}/presets")
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/presets" DESTINATION "${CMAKE_INSTALL_DATADIR}/vaecuda" COMPONENT tools)
endif()

install(FILES "${PROJECT_SOURCE_DIR}/tools/python/vaecuda.py" "${PROJECT_SOURCE_DIR}/tools/python/to_torch.py"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/vaecuda/python" COMPONENT dev)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/tools/python/_vaecuda"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/vaecuda/python" COMPONENT dev FILES_MATCHING PATTERN "*.py"
  PATTERN "__pycache__" EXCLUDE)
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/README.md" "${PROJECT_SOURCE_DIR}/CHANGELOG.md"
  DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT papers)
