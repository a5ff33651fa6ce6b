#!/bin/sh
# SPDX-License-Identifier: MIT
# The library knows no screen: no object of it needs a symbol that curses has.
set -u
built=${PROFTOP_BUILT:-.}
nm=${NM:-nm}
status=0

names='initscr|newterm|endwin|doupdate|stdscr|newwin|curs_set|setupterm|w?refresh|wnoutrefresh|w?getch|wget_wch|(mv)?w?add(ch|str|nstr|_wch|wstr)|w?attr(on|off|set)|start_color|init_pair|keypad|getmouse|tigetstr|tparm'
needed=$("$nm" -u "$built/libproftop.a" 2>/dev/null | awk '{ print $NF }' | sort -u)
if [ -z "$needed" ]; then
    echo "$nm shows nothing of $built/libproftop.a"
    exit 1
fi
found=$(printf '%s\n' "$needed" | grep -E "^($names)\$")
if [ -n "$found" ]; then
    echo "libproftop.a needs curses: $found"
    status=1
fi

# One file alone includes the header.
source=${PROFTOP_SOURCE:-..}
files=$(cd "$source" && grep -lE '#include <(ncursesw/)?(n?curses|term)\.h>' -r src include tests |
    grep -v '^src/ui/screen_curses\.c$')
if [ -n "$files" ]; then
    echo "only src/ui/screen_curses.c may include <curses.h>: $files"
    status=1
fi
exit $status
