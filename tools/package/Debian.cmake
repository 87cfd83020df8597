# Debian packages, by `cpack`: liboxbow0, what programs run with; liboxbow-dev, what they are built with; oxbow, the program.
# What they depend on is found by dpkg-shlibdeps. Nothing here needs root. The preset "debian" sets the folders.
# Whoever makes a package answers for it: by the names that Debian's own tools read. Without them it names no one, by an
# address that cannot exist (RFC 2606), rather than someone who was not asked.
if(DEFINED ENV{DEBFULLNAME} AND DEFINED ENV{DEBEMAIL})
  set(maintainer "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
else()
  set(maintainer "Oxbow maintainers <maintainers@oxbow.invalid>")
endif()
set(OXBOW_MAINTAINER ${maintainer} CACHE STRING "Who answers for the packages")
find_program(GZIP gzip REQUIRED)

set(folder ${PROJECT_BINARY_DIR}/debian)
file(MAKE_DIRECTORY ${folder})
configure_file(${CMAKE_CURRENT_LIST_DIR}/changelog.in ${folder}/changelog @ONLY)
# Compressed without a name or a date: two builds give the same bytes.
execute_process(COMMAND ${GZIP} -9nc ${folder}/changelog OUTPUT_FILE ${folder}/changelog.gz COMMAND_ERROR_IS_FATAL ANY)

set(lib_NAME liboxbow${PROJECT_VERSION_MAJOR})
set(dev_NAME liboxbow-dev)
set(bin_NAME oxbow)
set(components lib dev)
if(OXBOW_TOOLS)
  list(APPEND components bin)
endif()
foreach(component ${components})
  install(FILES ${CMAKE_CURRENT_LIST_DIR}/copyright ${folder}/changelog.gz
          DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${${component}_NAME} COMPONENT ${component})
  set(overrides ${CMAKE_CURRENT_LIST_DIR}/${component}.lintian-overrides)
  if(EXISTS ${overrides})
    install(FILES ${overrides} DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides RENAME ${${component}_NAME}
            COMPONENT ${component})
  endif()
  string(TOUPPER ${component} COMPONENT)
  set(CPACK_DEBIAN_${COMPONENT}_PACKAGE_NAME ${${component}_NAME})
endforeach()

if(OXBOW_TOOLS)
  add_custom_command(OUTPUT ${folder}/oxbow.1.gz DEPENDS ${manual} COMMAND ${GZIP} -9nc ${manual} > ${folder}/oxbow.1.gz VERBATIM)
  add_custom_target(oxbow_manual_compressed ALL DEPENDS ${folder}/oxbow.1.gz)
  install(FILES ${folder}/oxbow.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT bin)
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL ${components})
set(CPACK_PACKAGE_NAME oxbow)
set(CPACK_PACKAGE_CONTACT ${OXBOW_MAINTAINER})
set(CPACK_DEBIAN_PACKAGE_MAINTAINER ${OXBOW_MAINTAINER})
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(about "Oxbow builds a model once as a static dataflow graph, schedules it forward
and in reverse, and runs independent nodes in parallel. Results are the same
bits for any number of threads, and a warm step allocates nothing.
")
set(CPACK_DEBIAN_LIB_PACKAGE_SECTION libs)
set(CPACK_COMPONENT_LIB_DESCRIPTION "computation-graph engine that trains on CPUs - shared libraries\n${about}.
This package has the libraries, for C++ and for C, and those of its kernels
for each level of x86-64, among which the loader chooses.")
set(CPACK_DEBIAN_LIB_PACKAGE_SHLIBDEPS ON)
# Whoever links a library depends on this very version, since before 1.0 any may change them. (CPack's own list would name
# those of ops once for each level.)
set(libraries graph ops runtime optim c)
if(OXBOW_TOOLS)
  list(APPEND libraries dump onnx tensorboard example_ops)
endif()
set(shlibs)
foreach(name ${libraries})
  string(APPEND shlibs "liboxbow_${name} ${PROJECT_VERSION_MAJOR} ${lib_NAME} (= ${PROJECT_VERSION})\n")
endforeach()
file(WRITE ${folder}/shlibs "${shlibs}")
file(WRITE ${folder}/triggers "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_LIB_PACKAGE_CONTROL_EXTRA ${folder}/shlibs ${folder}/triggers)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_COMPONENT_DEV_DESCRIPTION "computation-graph engine that trains on CPUs - development files\n${about}.
This package has the headers, and what CMake and pkg-config read.")
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "${lib_NAME} (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_BIN_PACKAGE_SECTION science)
set(CPACK_COMPONENT_BIN_DESCRIPTION "computation-graph engine that trains on CPUs - command-line program\n${about}.
This package has the program that trains, predicts, shows and compares
graphs, and profiles them.")
set(CPACK_DEBIAN_BIN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_BIN_PACKAGE_DEPENDS "${lib_NAME} (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_BIN_PACKAGE_SUGGESTS graphviz)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_LIBRARY_OUTPUT_DIRECTORY})
include(CPack)
