# One object of what we call in OpenBLAS, under names of our own, everything else in it local. It goes into the static
# and into the shared library, so that neither needs OpenBLAS where it is used, and a program's own BLAS never meets ours.
# Its start before main is taken out (host/cpu/blas_products.cpp calls it where OpenBLAS is used): it takes 128 MiB of
# address space and as much again for every core, and where they are not to be had it asks for ever, without a word.
set(vaecuda_blas_names cblas_sgemm openblas_get_corename gotoblas_init)
set(vaecuda_blas_object "${PROJECT_BINARY_DIR}/vaecuda_blas.o")
set(vaecuda_blas_pulled "${PROJECT_BINARY_DIR}/vaecuda_blas_all.o")
set(vaecuda_blas_pull "")
set(vaecuda_blas_rename "")
set(vaecuda_blas_keep "")
foreach(name ${vaecuda_blas_names})
  list(APPEND vaecuda_blas_pull -u ${name})
  list(APPEND vaecuda_blas_rename --redefine-sym ${name}=private_vaecuda_${name})
  list(APPEND vaecuda_blas_keep --keep-global-symbol=private_vaecuda_${name})
  target_compile_definitions(vaecuda_openblas INTERFACE ${name}=private_vaecuda_${name})
endforeach()
set(vaecuda_blas_start "")
foreach(section init_array fini_array ctors dtors)
  list(APPEND vaecuda_blas_start --remove-section=.${section} --remove-section=.${section}.*)
endforeach()
# GNU's, whatever the compiler's own are: LLVM's linker pulls nothing out of an archive alone.
# Where the compiler is one for another machine, its own are.
if(CMAKE_CROSSCOMPILING)
  set(VAECUDA_LD "${CMAKE_LINKER}")
  set(VAECUDA_OBJCOPY "${CMAKE_OBJCOPY}")
endif()
find_program(VAECUDA_LD NAMES ld.bfd ld REQUIRED)
find_program(VAECUDA_OBJCOPY NAMES objcopy REQUIRED)
mark_as_advanced(VAECUDA_LD VAECUDA_OBJCOPY)
add_custom_command(OUTPUT "${vaecuda_blas_object}"
  # The linker picks the members that our calls need, the kernels of every processor among them.
  COMMAND "${VAECUDA_LD}" -r -d ${vaecuda_blas_pull} -o "${vaecuda_blas_pulled}" "${VAECUDA_OPENBLAS_LIBRARY}"
  COMMAND "${VAECUDA_OBJCOPY}" --strip-unneeded ${vaecuda_blas_rename} ${vaecuda_blas_start} "${vaecuda_blas_pulled}"
  COMMAND "${VAECUDA_OBJCOPY}" ${vaecuda_blas_keep} "${vaecuda_blas_pulled}" "${vaecuda_blas_object}"
  COMMAND "${CMAKE_COMMAND}" -E rm "${vaecuda_blas_pulled}"
  DEPENDS "${VAECUDA_OPENBLAS_LIBRARY}"
  COMMENT "Taking what is called out of OpenBLAS"
  VERBATIM)
