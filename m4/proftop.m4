# SPDX-License-Identifier: MIT
# The macros that only proftop needs.

# PROFTOP_LIBRARY(VARIABLE, PKG-CONFIG-MODULE, DEBIAN-PACKAGE)
# ------------------------------------------------------------
# A library that must be there.  A missing one is a line in $proftop_missing, so that a single run
# of configure names them all.
AC_DEFUN([PROFTOP_LIBRARY], [
PKG_CHECK_MODULES([$1], [$2], [], [
  proftop_missing="$proftop_missing
  $2 is missing: install $3"])
])

# PROFTOP_TRY_FLAG(VARIABLE, FLAG)
# --------------------------------
# Adds FLAG to VARIABLE when compiler and linker take it without a word.
AC_DEFUN([PROFTOP_TRY_FLAG], [
AC_MSG_CHECKING([whether $CC takes $2])
proftop_saved_CFLAGS=$CFLAGS
proftop_saved_werror=$ac_c_werror_flag
CFLAGS="$CFLAGS $2"
ac_c_werror_flag=yes
AC_LINK_IFELSE([AC_LANG_PROGRAM([])],
  [AC_MSG_RESULT([yes]); $1="$$1 $2"], [AC_MSG_RESULT([no])])
CFLAGS=$proftop_saved_CFLAGS
ac_c_werror_flag=$proftop_saved_werror
])

# PROFTOP_SWITCH(NAME, HELP)
# --------------------------
# --enable-NAME, off unless asked for; sets $enable_NAME to yes or no.
AC_DEFUN([PROFTOP_SWITCH], [
AC_ARG_ENABLE([$1], [AS_HELP_STRING([--enable-$1], [$2])], [], [enable_$1=no])
])
