# Libraries of ops: Oxbow's own, and those of programs that bring theirs (installed with the package).
#
#   find_package(Oxbow 0.2 REQUIRED)
#   oxbow_ops_library(my_ops gaussian.cpp)
#   target_link_libraries(app PRIVATE Oxbow::oxbow my_ops)
#   oxbow_install_ops_library(my_ops)
#
# The library is built once for each of OXBOW_LEVELS, with the flags that Oxbow's own kernels have. The loader takes the
# best one that the machine can run (glibc-hwcaps), so there is no code that chooses, and no file whose inline functions
# could be taken for those of another instruction set. Where Oxbow's libraries are static, these are too, and there is one,
# for the first level.

set(OXBOW_LEVELS "x86-64;x86-64-v3;x86-64-v4" CACHE STRING
    "Instruction sets of libraries of ops, the portable one first; \"native\" alone builds for this machine only")
if(NOT CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  set(OXBOW_LEVELS portable)
endif()

# oxbow_ops_library(NAME SOURCE...): the shared library NAME, to be linked, and the better ones of the other levels, which
# the loader finds. All of them are listed in NAME_VARIANTS, for whatever else they need.
function(oxbow_ops_library name)
  # Kernels are plain loops for the compiler to vectorise. Each lane does the same correctly rounded operations as the
  # scalar tail does, so an element's bits do not depend on its position.
  set(flags -O3 -fno-math-errno -fno-trapping-math -ffp-contract=off)
  if(OXBOW_SANITIZE)
    list(TRANSFORM flags REPLACE -O3 -O1)  # a vectorised loop full of checks takes minutes to compile
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    list(APPEND flags -Wno-pass-failed)  # a loop that may be vectorised need not be: see ops/independent.h
  endif()
  set(folder ${CMAKE_LIBRARY_OUTPUT_DIRECTORY})
  if(NOT folder)
    set(folder ${CMAKE_CURRENT_BINARY_DIR})
  endif()

  set(kind SHARED)
  set(levels ${OXBOW_LEVELS})
  get_target_property(type Oxbow::graph TYPE)
  if(type STREQUAL "STATIC_LIBRARY")
    set(kind STATIC)
    list(GET levels 0 levels)
  endif()
  set(variants)
  foreach(level ${levels})
    set(target ${name}_${level})
    set(place ${folder}/glibc-hwcaps/${level})
    if(NOT variants)
      set(target ${name})
      set(place ${folder})
    endif()
    add_library(${target} ${kind} ${ARGN})
    set_target_properties(${target} PROPERTIES OUTPUT_NAME ${name} LIBRARY_OUTPUT_DIRECTORY ${place})
    target_compile_features(${target} PUBLIC cxx_std_20)
    target_compile_options(${target} PRIVATE ${flags})
    if(level MATCHES "^(native|x86-64)")
      target_compile_options(${target} PRIVATE -march=${level} -mprefer-vector-width=512)
    endif()
    if(NOT target STREQUAL name)
      add_dependencies(${name} ${target})
    endif()
    if(TARGET Oxbow::ops)  # all but Oxbow's own, which is being made
      target_link_libraries(${target} PUBLIC Oxbow::ops)
    endif()
    list(APPEND variants ${target})
  endforeach()
  set(${name}_VARIANTS ${variants} PARENT_SCOPE)
endfunction()

# oxbow_install_ops_library(NAME [ARGUMENT...]): installs all of them; further arguments go to install(TARGETS NAME ...).
function(oxbow_install_ops_library name)
  include(GNUInstallDirs)
  install(TARGETS ${name} ${ARGN})
  set(levels ${OXBOW_LEVELS})
  list(POP_FRONT levels)
  foreach(level ${levels})
    if(TARGET ${name}_${level})  # to be found at run time only: programs link the portable one
      install(TARGETS ${name}_${level} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/glibc-hwcaps/${level} NAMELINK_SKIP)
    endif()
  endforeach()
endfunction()
