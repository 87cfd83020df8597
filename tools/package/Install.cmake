# What `cmake --install` puts where: libraries, those of ops for each level where the loader looks for them, public headers,
# the `oxbow` program, and what find_package(Oxbow) and pkg-config read. A header is public by its place: see README.md.
# Its components: lib, what programs run with; dev, what they are built with; bin, the program.
include(CMakePackageConfigHelpers)
option(OXBOW_DEBIAN "`cpack` makes Debian packages: see tools/docs/install.md" OFF)
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME lib)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/Oxbow)
set(include ${CMAKE_INSTALL_INCLUDEDIR}/oxbow)
set(parts EXPORT Oxbow LIBRARY COMPONENT lib NAMELINK_COMPONENT dev ARCHIVE COMPONENT dev)

foreach(name graph ops runtime optim c)
  set_target_properties(oxbow_${name} PROPERTIES EXPORT_NAME ${name})
endforeach()
set_target_properties(oxbow_all PROPERTIES EXPORT_NAME oxbow)
install(TARGETS oxbow_all oxbow_graph oxbow_runtime oxbow_optim oxbow_c ${parts})
oxbow_install_ops_library(oxbow_ops ${parts})
foreach(name graph ops runtime optim)
  file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${name}/*.h)
  list(FILTER headers EXCLUDE REGEX "/oxbow.h$")  # lies above the folders
  install(FILES ${headers} DESTINATION ${include}/${name} COMPONENT dev)
endforeach()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/optim/optimizers DESTINATION ${include}/optim COMPONENT dev FILES_MATCHING PATTERN *.h)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/ops/layers DESTINATION ${include}/ops COMPONENT dev FILES_MATCHING PATTERN *.h)
install(FILES ${PROJECT_SOURCE_DIR}/optim/oxbow.h ${PROJECT_SOURCE_DIR}/tools/c/c_api.h DESTINATION ${include} COMPONENT dev)
if(OXBOW_TOOLS)
  set(tools ${PROJECT_SOURCE_DIR}/tools)
  install(TARGETS oxbow RUNTIME COMPONENT bin)
  set(manual ${PROJECT_BINARY_DIR}/oxbow.1)
  add_custom_command(OUTPUT ${manual} DEPENDS oxbow ${CMAKE_CURRENT_LIST_DIR}/manual.cmake
                     COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:oxbow> -DVERSION=${PROJECT_VERSION} -DOUTPUT=${manual}
                             -P ${CMAKE_CURRENT_LIST_DIR}/manual.cmake)
  add_custom_target(oxbow_manual ALL DEPENDS ${manual})
  if(NOT OXBOW_DEBIAN)  # which has it compressed
    install(FILES ${manual} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT bin)
  endif()
  if(BUILD_SHARED_LIBS)
    oxbow_install_ops_library(oxbow_example_ops LIBRARY NAMELINK_SKIP)  # which the program links
  endif()
  foreach(name dump onnx tensorboard)
    set_target_properties(oxbow_${name} PROPERTIES EXPORT_NAME ${name})
  endforeach()
  install(TARGETS oxbow_dump oxbow_onnx oxbow_tensorboard ${parts})
  install(FILES ${tools}/onnx/onnx.h DESTINATION ${include} COMPONENT dev)
  install(FILES ${tools}/dump/compiling.h ${tools}/dump/dump.h DESTINATION ${include}/tools/dump COMPONENT dev)
  install(FILES ${tools}/plot/image.h ${tools}/plot/plot.h DESTINATION ${include}/tools/plot COMPONENT dev)
  install(FILES ${tools}/history/file.h ${tools}/history/plot.h ${tools}/history/tensorboard.h ${tools}/history/writer.h DESTINATION ${include}/tools/history COMPONENT dev)
endif()

install(EXPORT Oxbow NAMESPACE Oxbow:: FILE OxbowTargets.cmake DESTINATION ${package} COMPONENT dev)
configure_file(${CMAKE_CURRENT_LIST_DIR}/OxbowConfig.cmake.in ${PROJECT_BINARY_DIR}/OxbowConfig.cmake @ONLY)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/OxbowConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/OxbowConfig.cmake ${PROJECT_BINARY_DIR}/OxbowConfigVersion.cmake
              ${PROJECT_SOURCE_DIR}/ops/OpsLibrary.cmake DESTINATION ${package} COMPONENT dev)

# For pkg-config, wherever the folder is moved to. What static libraries need besides is private.
file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" up ${up})
set(libraries "-loxbow_optim -loxbow_ops -loxbow_runtime -loxbow_graph")
set(below "-ltbb -llzma -lz -lxsmmgen -lstdc++ -lm -lpthread -ldl")
foreach(name oxbow oxbow-c)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/${name}.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT dev)
endforeach()

if(OXBOW_DEBIAN)
  include(${CMAKE_CURRENT_LIST_DIR}/Debian.cmake)
endif()
