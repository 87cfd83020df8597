# Every installed header compiles by itself, against nothing but what is installed, and only public ones are: those that
# lie directly in a folder, where ops/layers/, optim/optimizers/ and the tools' libraries have folders of their own.
#   cmake -DINCLUDE=FOLDER -DCXX=COMPILER -P headers.cmake
cmake_minimum_required(VERSION 3.25)
file(GLOB_RECURSE headers RELATIVE ${INCLUDE} ${INCLUDE}/oxbow/*.h)
if(NOT "oxbow/oxbow.h" IN_LIST headers)
  message(FATAL_ERROR "oxbow.h is not installed in ${INCLUDE}")
endif()
foreach(header ${headers})
  if(NOT header MATCHES "^oxbow/((graph|ops|runtime|optim|ops/layers|optim/optimizers|tools/dump|tools/history|tools/plot)/)?[a-z0-9_]+\\.h$")
    message(SEND_ERROR "${header} is installed, but is private by its place")
  endif()
  execute_process(COMMAND ${CXX} -std=c++20 -Wall -Wextra -Wshadow -Werror -fsyntax-only -I ${INCLUDE} -include ${header} -x c++ -
                  INPUT_FILE /dev/null RESULT_VARIABLE failed ERROR_VARIABLE message)
  if(failed)
    message(SEND_ERROR "${header} does not compile by itself:\n${message}")
  endif()
endforeach()
