# SPDX-License-Identifier: GPL-2.0-or-later
# strict.profile - for command line programs that use the network: curl, ssh, wget, dig, ping, python3, a shell
#
# What is not on the lists fails with "operation not permitted": to trace or inspect other processes, to mount, to make
# or enter namespaces, BPF, keys of the kernel, io_uring, userfaultfd, performance counters, modules, swap, the clock.
# clone3 answers that it does not exist: the C library then takes clone.
#
# What a program calls is shown by `strace -f -c PROGRAM', without this profile: strace itself is denied.
[Profile]
Description = an allow-list of system calls, for command line programs
SystemBus = no
# a socket of home would be a way out
Listen = no

[Filter]
Allow = @base @files @process @network
Families = unix inet inet6 netlink
