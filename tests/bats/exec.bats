#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: none
# shellcheck disable=SC2016 # the scripts are for the shell in the box

bats_require_minimum_version 1.5.0

setup() {
	load ../lab/boxlib.bash
	box_require
}

@test "exec passes every exit status on" {
	run -0 in_box '
		for s in $(seq 0 255); do
			got=0; $WGNS exec --physical sh -c "exit $s" || got=$?
			[ $got = $s ] || { echo "$s became $got"; exit 1; }
		done'
}

@test "exec ends by the signal that ended the program" {
	run -0 in_box '
		for sig in 1 2 9 13 15; do
			got=0; $WGNS exec --physical sh -c "kill -$sig \$\$" || got=$?
			[ $got = $((128 + sig)) ] || { echo "$sig became $got"; exit 1; }
		done'
}

@test "exec says 127 for a program that is not there and 126 for one that cannot run" {
	run -127 in_box '$WGNS exec --physical nonesuch'
	[ "$output" = 'wgns: exec: nonesuch: No such file or directory' ]
	run -126 in_box '$WGNS exec --physical /etc/passwd'
	[ "$output" = 'wgns: exec: /etc/passwd: Permission denied' ]
	run -126 in_box '$WGNS exec --physical /run'
}

@test "exec says 125 and how to bring it up where physical is not up" {
	run -125 in_box 'umount /run/wgns/box/physical/netns; rm -r /run/wgns; $WGNS exec --physical true'
	[ "${lines[0]}" = 'wgns: exec: physical is not up' ]
	[ "${lines[1]}" = '  hint: sudo wgns up TUNNEL' ]
	run -125 in_box '$WGNS exec --in office true'
	[ "${lines[0]}" = 'wgns: exec: office is not up' ]
	[ "${lines[1]}" = '  hint: this version has one box: physical' ]
}

@test "exec says 125 for a command line that is wrong" {
	run -0 in_box '
		for args in "" true --physical "--physical --home true" --in "--in a --in b true" "--nonesuch true" --profile \
			"--physical -E novalue true" "--physical -E =x true" "--physical --user nonesuch true" "--physical --listen x true" \
			"--physical --profile nonesuch true" "--physical --profile ../default true" "--physical --profile dhcp --listen 80 true"; do
			got=0; said=$($WGNS exec $args 2>&1) || got=$?
			[[ $got = 125 && $said = "wgns: exec: "* ]] || { echo "$args: status $got: $said"; exit 1; }
		done'
}

@test "exec leaves the program's own options to the program" {
	run -0 in_box '$WGNS exec --physical echo --home -E x --user nobody -n'
	[ "$output" = '--home -E x --user nobody -n' ]
	run -0 in_box '$WGNS exec --physical -- echo --'
	[ "$output" = -- ]
}

@test "exec passes arguments on byte for byte" {
	run -0 in_box '
		set -- "" " " "a  b" "$(printf "x\ny\n\nz")" "\$HOME" "*" "\\" "$(printf "\351\001\177")" ""
		cmp <(printf "%s\0" "$@") <($WGNS exec --physical printf "%s\0" "$@")
		cmp <(printf "%s\0" "$@") <($WGNS exec --physical -E A=1 printf "%s\0" "$@")'
}

@test "exec gives standard input, output and error to the program" {
	run -0 in_box '
		[ "$(echo hello | $WGNS exec --physical cat)" = hello ]
		[ "$($WGNS exec --physical sh -c "echo out; echo err >&2" 2>/run/err)" = out ]
		[ "$(cat /run/err)" = err ]'
}

@test "exec is the same process from the shell to the program" {
	run -0 in_box '
		set -- $(sh -c "echo \$\$; exec $WGNS exec --physical sh -c \"echo \\\$\\\$\"")
		[ $# = 2 ] && [ $1 = $2 ]'
}

@test "exec changes neither process group nor session nor terminal" {
	run -0 in_box '
		cat >/run/script <<-"E"
			cut -d" " -f5-8 /proc/self/stat >/run/before
			"$WGNS" exec --physical cut -d" " -f5-8 /proc/self/stat >/run/after
		E
		script -qec "bash /run/script" /dev/null
		cmp /run/before /run/after
		read -r _ _ tty _ </run/after
		[ "$tty" != 0 ]'
}

@test "exec keeps umask, limits, ignored signals, priority and working directory" {
	run -0 in_box '
		look="umask; ulimit -a; grep ^Sig[IB] /proc/self/status; nice; pwd; cat /proc/self/oom_score_adj"
		umask 027; ulimit -n 77 -c 0; trap "" USR1 PIPE; cd /usr/share
		[ "$(nice -n 3 sh -c "$look")" = "$(nice -n 3 $WGNS exec --physical sh -c "$look")" ]'
}

@test "exec shows the box's files to a program started in /etc or /sys" {
	run -0 in_box '
		cd /etc; [ "$($WGNS exec --physical cat resolv.conf)" = "nameserver 192.0.2.53" ]
		cd /sys/class/net; [ "$($WGNS exec --physical ls | tr "\n" " ")" = "inbox inbox2 lo " ]'
}

@test "exec leaves no capability to root and sets no_new_privs" {
	run -0 in_box '$WGNS exec --physical grep -E "^(Cap|NoNewPrivs|Uid)" /proc/self/status'
	[ "$(grep -c '^Cap[^B].*0000000000000000$' <<<"$output")" -eq 4 ]
	[[ $output == *NoNewPrivs:*1* ]]
	[[ $output == *$'Uid:\t0\t0\t0\t0'* ]]
	run -2 in_box '$WGNS exec --physical ip link set lo up'
	[[ $output == *'Operation not permitted'* ]]
}

@test "exec becomes the user who called sudo, with that user's groups and no capability" {
	run -0 in_box '
		SUDO_UID=4242 SUDO_GID=4242 $WGNS exec --physical sh -c "id -G; grep -E \"^(Cap|NoNewPrivs|Uid|Gid)\" /proc/self/status"'
	[ "${lines[0]}" = '4242 4299 4300 4301' ]
	[ "$(grep -c '^Cap[^B].*0000000000000000$' <<<"$output")" -eq 4 ]
	[[ $output == *NoNewPrivs:*1* ]]
	[[ $output == *$'Uid:\t4242\t4242\t4242\t4242'* ]]
	[[ $output == *$'Gid:\t4242\t4242\t4242\t4242'* ]]
}

@test "exec becomes a user of sudo whom the user database does not know" {
	run -0 in_box 'SUDO_UID=5555 SUDO_GID=5556 $WGNS exec --physical sh -c "id -u; id -G"'
	[ "$output" = $'5555\n5556' ]
	run -125 in_box 'SUDO_UID=5555 $WGNS exec --physical true'
}

@test "exec refuses a SUDO_UID or SUDO_GID that is no number" {
	run -0 in_box '
		for value in "" -1 " 1" 1x 0x10 4294967295 99999999999999999999; do
			for ids in "$value:1" "4242:$value"; do
				got=0; SUDO_UID=${ids%:*} SUDO_GID=${ids#*:} $WGNS exec --physical touch /run/ran 2>/run/err || got=$?
				[ "$got" = 125 ] && [ ! -e /run/ran ] || { echo "$ids: status $got"; exit 1; }
			done
		done'
}

@test "exec --user becomes that user, by name or number" {
	run -0 in_box '
		[ "$($WGNS exec --physical --user boxer id -G)" = "4242 4299 4300 4301" ]
		[ "$($WGNS exec --physical --user 4242 id -u)" = 4242 ]
		[ "$(SUDO_UID=4242 $WGNS exec --physical --user root id -u)" = 0 ]'
}

@test "exec gives the user's own HOME where sudo left root's and keeps what sudo -E kept" {
	run -0 in_box '
		export SUDO_UID=4242 SUDO_GID=4242 SUDO_USER=boxer SUDO_COMMAND=x
		mkdir -p /run/user/4242; chown 4242 /run/user/4242
		look="echo \$HOME \$USER \$LOGNAME \$SHELL \$XDG_RUNTIME_DIR \${SUDO_UID-none} \${SUDO_COMMAND-none} \${MAIL-none}"
		[ "$(HOME=/root USER=root LOGNAME=root SHELL=/bin/bash MAIL=/var/mail/root \
			$WGNS exec --physical bash -c "$look")" = \
			"/home/boxer boxer boxer /bin/dash /run/user/4242 none none none" ]
		[ "$(HOME=/srv/b USER=boxer LOGNAME=root SHELL=/bin/zsh XDG_RUNTIME_DIR=/x MAIL=/m \
			$WGNS exec --physical bash -c "$look")" = "/srv/b boxer boxer /bin/zsh /x none none /m" ]'
}

@test "exec -E sets variables for the program and not for wgns" {
	run -0 in_box '
		[ "$($WGNS exec --physical -E "A=b c" -E B= -E LD_PRELOAD=/nonexistent.so sh -c "echo \"[\$A][\$B][\$LD_PRELOAD]\"" \
			2>/run/err)" = "[b c][][/nonexistent.so]" ]
		grep -q nonexistent.so /run/err
		not grep -q wgns /run/err'
	run -125 in_box '$WGNS exec --physical -E A=1 ./b=c'
}

@test "a set-user-ID program gains nothing inside" {
	run -0 in_box '
		cp /usr/bin/id /run/id; chmod 4755 /run/id
		[ "$(setpriv --reuid 4242 --clear-groups /run/id -u)" = 0 ]
		[ "$($WGNS exec --physical --user boxer /run/id -u)" = 4242 ]'
}

@test "exec closes every descriptor above 2" {
	run -0 in_box '
		exec 5</etc/passwd 9<>/run/x 100</dev/null
		$WGNS exec --physical sh -c "for n in 3 4 5 6 7 8 9 10 100; do [ ! -e /proc/self/fd/\$n ] || exit 1; done"'
}

@test "exec leaves a closed standard input, output or error closed" {
	run -0 in_box '
		$WGNS exec --physical sh -c "[ ! -e /proc/\$\$/fd/0 ]" <&-
		$WGNS exec --physical sh -c "[ ! -e /proc/\$\$/fd/1 ]" >&-
		$WGNS exec --physical sh -c "[ ! -e /proc/\$\$/fd/2 ]" 2>&-
		$WGNS exec --physical sh -c "[ ! -e /proc/\$\$/fd/0 ] && [ ! -e /proc/\$\$/fd/2 ]" <&- >&- 2>&-'
}

@test "a program in the box is in its network namespace and sees its devices in /sys" {
	run -0 in_box '
		want=$(stat -Lc %i /run/wgns/box/physical/netns)
		[ "$($WGNS exec --physical readlink /proc/self/ns/net)" = "net:[$want]" ]
		[ "$($WGNS exec --physical ls /sys/class/net | tr "\n" " ")" = "inbox inbox2 lo " ]'
}

@test "what is mounted below /sys comes along" {
	run -0 in_box '
		mountpoint -q /sys/kernel/debug || mount -t debugfs d /sys/kernel/debug
		look="stat -f -c %T /sys/fs/cgroup /sys/kernel/debug; ls -R /sys/fs/cgroup | head -50; grep -o \" /sys/[^ ]*\" /proc/self/mountinfo | sort"
		sh -c "$look" >/run/before
		$WGNS exec --physical sh -c "$look" >/run/after
		cmp /run/before /run/after
		grep -q /sys/kernel/debug /run/after'
}

@test "names are resolved with the box's files alone" {
	run -0 in_box '
		[ "$($WGNS exec --physical cat /etc/resolv.conf)" = "nameserver 192.0.2.53" ]
		[ "$($WGNS exec --physical grep ^hosts: /etc/nsswitch.conf)" = "hosts: files dns" ]
		[ "$($WGNS exec --physical head -n1 /etc/passwd)" = "$(head -n1 /etc/passwd)" ]
		[ -z "$($WGNS exec --physical ls -A /run/nscd /run/systemd/resolve | grep -v :)" ]
		not $WGNS exec --physical touch /etc/x /run/nscd/x /run/systemd/resolve/x 2>/run/err
		[ "$(grep -c "Read-only file system" /run/err)" = 3 ]'
}

@test "the box keeps its resolv.conf when the host's is replaced while a program runs" {
	run -0 in_box '
		mkfifo /run/go
		$WGNS exec --physical sh -c "cat /etc/resolv.conf; echo ready >/run/go; read -r _ </run/go; cat /etc/resolv.conf" >/run/seen &
		read -r _ </run/go
		echo "nameserver 192.0.2.99" >/etc/resolv.conf.new
		mv /etc/resolv.conf.new /etc/resolv.conf
		echo go >/run/go
		wait $!
		[ "$(cat /run/seen)" = "$(printf "nameserver 192.0.2.53\nnameserver 192.0.2.53")" ]
		[ "$(cat /etc/resolv.conf)" = "nameserver 192.0.2.99" ]'
}

@test "the box has its resolv.conf whatever the host's is" {
	run -0 in_box '
		check() { [ "$($WGNS exec --physical cat /etc/resolv.conf)" = "nameserver 192.0.2.53" ]; }
		rm /etc/resolv.conf; check
		ln -s /run/systemd/resolve/stub-resolv.conf /etc/resolv.conf; check
		ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf; check
		ln -sf /nonexistent /etc/resolv.conf; check
		rm /etc/resolv.conf; mkdir /etc/resolv.conf; check'
}

@test "exec starts nothing where nscd or systemd-resolved could make a folder that is not hidden" {
	local dir
	for dir in /run/nscd /run/systemd/resolve; do
		run -125 in_box "umount $dir; rm -r $dir; \$WGNS exec --physical echo ran"
		[ "$output" = "wgns: exec: physical: hide $dir: No such file or directory" ]
	done
}

@test "mounts made outside appear inside, and none made inside appears outside" {
	run -0 in_box '
		mkfifo /run/go; mkdir /run/later
		before=$(grep -vc " /run/later " /proc/self/mountinfo)
		$WGNS exec --physical sh -c "echo ready >/run/go; read -r _ </run/go; cat /run/later/file" >/run/seen &
		read -r _ </run/go
		[ "$(grep -vc " /run/later " /proc/self/mountinfo)" = "$before" ]
		mount -t tmpfs later /run/later; echo there >/run/later/file
		echo go >/run/go
		wait $!
		[ "$(cat /run/seen)" = there ]'
}

@test "exec refuses hostile box names" {
	run -0 in_box '
		for name in "" . .. ../physical physical/ ./physical physical/../physical /run a:b a,b "a\\b" "a b" "$(printf "a\nb")" \
			"$(printf "\344")" "$(printf %065d 0)"; do
			got=0; $WGNS exec --in "$name" touch /run/ran 2>/run/err || got=$?
			[ "$got" = 125 ] && [ ! -e /run/ran ] || { echo "$name: status $got"; exit 1; }
			grep -q "a box is named with" /run/err
		done'
}

@test "exec refuses a box whose netns is something else" {
	run -0 in_box '
		cd /run/wgns/box
		try() {
			local got=0
			(mkdir -p b/etc; eval "$1")
			$WGNS exec --in b touch /run/ran 2>/run/err || got=$?
			[ "$got" = 125 ] && [ ! -e /run/ran ] && grep -q "^wgns: exec: b: " /run/err || { echo "$1: status $got"; cat /run/err; exit 1; }
			umount b/netns 2>/run/err || :
			rm -r b
		}
		for make in "touch b/netns" "mkdir b/netns" "mkfifo b/netns" "ln -s ../physical/netns b/netns" "rmdir b/etc b; ln -s physical b"; do
			try "$make"
		done
		for kind in uts ipc user pid; do try "touch b/netns; mount --bind /proc/self/ns/$kind b/netns"; done'
}

@test "exec does not start the program where names cannot be sealed" {
	run -125 in_box 'rm -r /run/wgns/box/physical/etc; $WGNS exec --physical echo ran'
	[ "$output" = 'wgns: exec: physical: mount an overlay on /etc: No such file or directory' ]
	run -125 in_box 'umount /run/nscd; rm -r /run/nscd; touch /run/nscd; $WGNS exec --physical echo ran'
	[ "$output" = 'wgns: exec: physical: hide /run/nscd: Not a directory' ]
}

@test "exec does not start the program when any of its system calls fails" {
	command -v strace >/dev/null || { [ -z "${WGNS_MUST_RUN:-}" ] && skip 'needs strace'; }
	# every mount in turn; the kernel's lies (retval) are found out by reading back
	run -0 in_box '
		try() {
			local got=0 fault=$1
			shift
			# the leak sanitizer of a build that has one does not work under ptrace(2)
			ASAN_OPTIONS=detect_leaks=0 "$@" strace -qq -o /run/trace -e inject=$fault "$WGNS" exec --physical touch /run/ran 2>/run/err || got=$?
			grep -q INJECTED /run/trace || { echo "$fault: not reached"; exit 1; }
			[ $got = 125 ] || { echo "$fault: status $got"; exit 1; }
			grep -q "^wgns: exec: ." /run/err || { echo "$fault: no reason"; exit 1; }
			not grep -q "execve.*\[\"touch" /run/trace || { echo "$fault: started"; exit 1; }
		}
		for fault in openat2:error=EACCES setns:error=EPERM unshare:error=ENOSPC mount:error=EPERM:when=1 \
			mount:error=ENODEV:when=2 mount:error=EPERM:when=3 mount:error=EPERM:when=4 mount:error=EPERM:when=5 \
			move_mount:error=EINVAL setresuid:error=EAGAIN setresuid:retval=0 capget:error=EINVAL capset:error=EPERM \
			prctl:error=EINVAL prctl:retval=0 close_range:error=EINVAL setgroups:error=EPERM setresgid:error=EPERM; do
			try $fault env SUDO_UID=4242 SUDO_GID=4242
		done
		try capset:retval=0 env'
}

@test "exec --home enters nothing and drops everything" {
	run -0 in_box '
		[ "$($WGNS exec --home readlink /proc/self/ns/net /proc/self/ns/mnt)" = "$(readlink /proc/self/ns/net /proc/self/ns/mnt)" ]
		[ "$($WGNS exec --home grep -c "^Cap[^B].*0000000000000000$" /proc/self/status)" = 4 ]
		[ "$($WGNS exec --home --user boxer id -G)" = "4242 4299 4300 4301" ]'
}

@test "exec --home is refused inside physical" {
	run -125 in_box 'nsenter --net=/run/wgns/box/physical/netns $WGNS exec --home true'
	[[ ${lines[0]} == 'wgns: exec: this shell is not in home but in physical itself' ]]
	[[ ${lines[1]} == '  hint: nsenter '* ]]
}

@test "a user needs neither root nor sudo" {
	run -0 in_box '
		as boxer $WGNS exec --physical sh -c "id -u; id -G; cat /etc/resolv.conf; grep -c ^Cap[^B].*:.0000000000000000 /proc/self/status"
		[ "$(as boxer $WGNS exec --physical readlink /proc/self/ns/net)" = "net:[$(stat -Lc %i /run/wgns/box/physical/netns)]" ]
		[ "$(as boxer $WGNS exec --in physical -E A=1 sh -c "echo \$A")" = 1 ]
		[ "$(as boxer env SUDO_UID=0 SUDO_GID=0 $WGNS exec --physical id -u)" = 4242 ]'
	[ "$output" = $'4242\n4242 4299 4300 4301\nnameserver 192.0.2.53\n4' ]
}

@test "a user's exec passes on what root's does" {
	run -0 in_box '
		exec_as() { as boxer $WGNS exec --physical "$@"; }
		for s in 0 1 42 125 126 127 128 255; do
			got=0; exec_as sh -c "exit $s" || got=$?
			[ $got = $s ] || { echo "$s became $got"; exit 1; }
		done
		for sig in 1 2 9 13 15; do
			got=0; exec_as sh -c "kill -$sig \$\$" || got=$?
			[ $got = $((128 + sig)) ] || { echo "$sig became $got"; exit 1; }
		done
		got=0; exec_as nonesuch 2>/run/err || got=$?; [ $got = 127 ]
		got=0; exec_as /etc/passwd 2>/run/err || got=$?; [ $got = 126 ]
		set -- "" " " "a  b" "$(printf "x\ny\n\nz")" "\$HOME" "*" "\\" "$(printf "\351\001\177")" ""
		cmp <(printf "%s\0" "$@") <(exec_as printf "%s\0" "$@")
		cmp <(printf "%s\0" "$@") <(exec_as -E A=1 printf "%s\0" "$@")
		look="umask; ulimit -a; grep ^Sig[IB] /proc/self/status; nice; pwd; cat /proc/self/oom_score_adj"
		umask 027; ulimit -n 77 -c 0; trap "" USR1 PIPE; cd /usr/share
		cmp <(as boxer nice -n 3 sh -c "$look") <(as boxer nice -n 3 $WGNS exec --physical sh -c "$look")
		set -- $(as boxer sh -c "echo \$\$; exec $WGNS exec --physical sh -c \"echo \\\$\\\$\"")
		[ $# = 2 ] && [ $1 = $2 ]
		[ "$(echo hello | exec_as cat)" = hello ]'
}

@test "a user's -E reaches the program and not the helper" {
	run -0 in_box '
		[ "$(as boxer $WGNS exec --physical -E "A=b c" -E B= -E LD_PRELOAD=/nonexistent.so -E TMPDIR=/x \
			sh -c "echo \"[\$A][\$B][\$LD_PRELOAD][\$TMPDIR]\"" 2>/run/err)" = "[b c][][/nonexistent.so][/x]" ]
		grep -q nonexistent.so /run/err
		not grep -q wgns /run/err'
}

@test "a user is told what is for root" {
	run -0 in_box '
		told() {
			local got=0 said want=$1
			shift
			said=$(as boxer $WGNS exec "$@" touch /run/ran 2>&1) || got=$?
			[[ $got = 125 && $said = "$want"* && ! -e /run/ran ]] || { echo "$*: status $got: $said"; exit 1; }
		}
		told "wgns: exec: --home is for root" --home
		told "wgns: exec: --user is for root" --physical --user root
		told "wgns: exec: --user is for root" --physical --user boxer
		told "wgns: exec: the profile dhcp keeps privileges: only root can use it" --physical --profile dhcp
		told "wgns: exec: the profile shell keeps privileges: only root can use it" --physical --profile shell'
}

@test "a user's exec calls the helper beside it only when that is root's alone" {
	run -0 in_box '
		started() {
			strace -qq -u boxer -o /run/trace -e trace=execve $WGNS exec --physical true 2>/run/err || :
			grep -q "^execve(.$WGNS_HELPER" /run/trace
		}
		started
		chown 4242 $WGNS_HELPER; not started
		chown 0 $WGNS_HELPER; setcap cap_sys_admin+ep $WGNS_HELPER; started
		chmod 775 $WGNS_HELPER; not started
		chmod 755 $WGNS_HELPER; chmod 757 /run/bin; not started
		chmod 755 /run/bin; mv $WGNS_HELPER /run/h; ln -s /run/h $WGNS_HELPER; not started
		rm $WGNS_HELPER; mkdir $WGNS_HELPER; not started'
}

@test "an inside that is entered from inside stays closed to a program of the box" {
	run -0 in_box '
		not $WGNS exec --physical nsenter --net=/proc/1/ns/net true
		not $WGNS exec --physical unshare --net true
		not $WGNS exec --physical umount /etc'
}

@test "a program with file capabilities starts, without them" {
	run -0 in_box '
		cp "$(command -v grep)" /run/capable; setcap cap_net_raw,cap_net_admin+ep /run/capable
		$WGNS exec --physical /run/capable -c "^Cap[^B].*0000000000000000$" /proc/self/status'
	[ "$output" = 4 ]
}

@test "a program that root starts as another user cannot type into root's terminal" {
	run -0 in_box '
		# without the filter it succeeds, or fails with EIO where the kernel has switched it off
		try() { script -qec "$WGNS exec $1 --user boxer perl -e \"ioctl(STDIN, 0x5412, my \\\$c = q(x)) and exit 77; exit(\\\$! + 0)\"" /dev/null; }
		for where in --physical --home; do
			got=0; try $where || got=$?
			[ $got = 1 ] || { echo "$where: $got"; exit 1; }
		done'
}

@test "exec --user keeps nothing of root's environment but what a terminal needs, and not root's keyring" {
	run -0 in_box '
		export SECRET=1 XAUTHORITY=/root/x LISTEN_FDS=3 TERM=vt100 LANG=C.UTF-8
		unset COLORTERM LANGUAGE LC_ALL LC_CTYPE LC_MESSAGES NO_COLOR TZ
		[ "$($WGNS exec --physical --user boxer env | cut -d= -f1 | sort | tr "\n" " ")" = "HOME LANG LOGNAME PATH SHELL TERM USER " ]
		case $(uname -m) in x86_64) keyctl=250 ;; *) keyctl=219 ;; esac
		# keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0)
		ring() { "$@" perl -e "print syscall($keyctl, 0, -3, 0)"; }
		[ "$(ring $WGNS exec --physical --user boxer)" != "$(ring)" ]
		[ "$(ring $WGNS exec --physical)" = "$(ring)" ]'
}
