# The manual page of the program, made of what the program says of its commands.
#   cmake -DPROGRAM=FILE -DVERSION=0.2.0 -DOUTPUT=oxbow.1 -P manual.cmake
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND ${PROGRAM} --help OUTPUT_VARIABLE help COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE ";" "," help "${help}")
string(REPLACE "-" "\\-" help "${help}")
if(NOT help MATCHES "^([^\n]+)\n.*\nSubcommands:\n(.*)\nExamples:\n(.*)$")
  message(FATAL_ERROR "${PROGRAM} --help has another form than a manual page is made of:\n${help}")
endif()
set(about "${CMAKE_MATCH_1}")
set(commands "${CMAKE_MATCH_2}")
set(examples "${CMAKE_MATCH_3}")
string(REGEX REPLACE "  ([a-z]+) +([^\n]+)\n" ".TP\n.B \\1\n\\2\n" commands "${commands}")
string(REGEX REPLACE "\n$" "" examples "${examples}")
file(WRITE ${OUTPUT} ".TH OXBOW 1 \"\" \"Oxbow ${VERSION}\" \"User Commands\"
.SH NAME
oxbow \\- train, run, show and compare models as dataflow graphs
.SH SYNOPSIS
.B oxbow
.I COMMAND
.RI [ OPTION ...]
.SH DESCRIPTION
${about}
The option
.B \\-\\-help
of a command tells its options, with examples;
.B \\-\\-version
of the program its version.
.SH COMMANDS
${commands}.SH EXIT STATUS
0 where all went well, 1 on an error, which is told on standard error, 2 for a command line that is not understood.
.B diff
exits with 0 where nothing differs, 1 where something does, 2 on an error.
.SH EXAMPLES
.nf
${examples}
.fi
")
