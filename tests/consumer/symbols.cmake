# What is seen of the libraries: the names of our namespaces alone, with the version that they are of; of the C library the
# functions of its header. What else were seen could be taken for a program's own: a template made for another instruction
# set, another version of what is linked in.
#   cmake -DNM=PROGRAM -DLIBRARIES=FILE,FILE -P symbols.cmake
cmake_minimum_required(VERSION 3.25)
string(REPLACE "," ";" libraries "${LIBRARIES}")
foreach(library ${libraries})
  execute_process(COMMAND ${NM} -D --defined-only --with-symbol-versions ${library} OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[^\n]+" symbols "${text}")
  set(ours "^[0-9a-f]+ [^ ] _Z.*5oxbow.*@@OXBOW_[0-9]+\\.[0-9]+$")
  if(library MATCHES "liboxbow_c\\.")
    set(ours "^[0-9a-f]+ T oxbow_[a-z_]+@@OXBOW_C_1$")
  endif()
  list(LENGTH symbols count)
  if(count LESS 10)
    message(SEND_ERROR "${library} shows next to nothing: ${symbols}")
  endif()
  list(FILTER symbols EXCLUDE REGEX "${ours}")
  list(FILTER symbols EXCLUDE REGEX " A OXBOW_[C0-9._]+(@@.*)?$")  # the versions' own names
  if(symbols)
    list(JOIN symbols "\n  " lines)
    message(SEND_ERROR "${library} shows what is not of its interface:\n  ${lines}")
  endif()
endforeach()
