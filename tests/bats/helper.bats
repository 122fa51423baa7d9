#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: none
# the helper, attacked by those who may call it: the box is made by hand, boxer may enter it and stranger may not
# shellcheck disable=SC2016 # the scripts are for the shell in the box
# shellcheck disable=SC2329 # functions of the shell in the box

bats_require_minimum_version 1.5.0

setup_file() {
	local here=$BATS_TEST_DIRNAME cc=${CC:-cc}
	$cc -std=gnu17 -D_GNU_SOURCE -O1 -static -I"$here/../../include" -o "$BATS_FILE_TMPDIR/hostile" "$here/../lab/hostile.c"
	# whose code it is that runs is seen by the file that it makes
	$cc -shared -fPIC -x c -o "$BATS_FILE_TMPDIR/evil.so" - <<-'C'
		#include <fcntl.h>
		#include <unistd.h>
		__attribute__((constructor)) static void run(void) { close(open("/run/open/evil", O_CREAT | O_WRONLY, 0644)); }
		void gconv_init(void) { run(); }
	C
}

setup() {
	load ../lab/boxlib.bash
	box_require
	command -v strace >/dev/null || { [[ -z ${WGNS_MUST_RUN:-} ]] && skip 'needs strace'; }
}

# box SCRIPT: in_box with what is below. /run/open is for everyone to write in, $inside the number of the box's namespace,
# $helper what enters it and takes a program.
box() {
	in_box "$(declare -f sealed refused halt resume outside)
		cp '$BATS_FILE_TMPDIR'/{hostile,evil.so} /run/bin/
		mkdir -m 1777 /run/open
		inside=\$(stat -Lc %i /run/wgns/box/physical/netns)
		helper=(\$WGNS_HELPER physical - 0)
		$1"
}

# sealed [CMD [ARG]...]: with CMD in front, the helper starts a program, and that has nothing and sees nothing of the outside
sealed() {
	local said=none
	said=$("$@" "${helper[@]}" /run/bin/hostile witness "$inside") || :
	[[ $said = sealed ]] || { echo "$*: $said"; return 1; }
}

# refused REASON CMD [ARG]...: CMD with a program to start says REASON, ends with 125 and does not start it
refused() {
	local reason=$1 status=0 said
	shift
	rm -f /run/open/ran
	said=$("$@" touch /run/open/ran 2>&1) || status=$?
	[[ ! -e /run/open/ran ]] || { echo "$*: started: $said"; return 1; }
	[[ $status = 125 && $said = *"$reason"* ]] || { echo "$*: status $status: $said"; return 1; }
}

# halt CALL CMD [ARG]...: start CMD as boxer, or as root when root=yes; CALL, as in openat2 (the first) or mount:when=2, is made,
# and then $pid stands still
halt() {
	local call=$1 line fault
	shift
	[[ $call = *:when=* ]] || call+=:when=1
	fault=$call:signal=STOP
	if [[ ! -p /run/trace ]]; then
		mkfifo /run/trace /run/said
		exec 7<>/run/trace 8<>/run/said
	fi
	strace -D -q -f -u "$([[ -v root ]] && echo root || echo boxer)" -o /run/trace -e trace="${call%%:*},execve" -e inject="$fault" "$@" >&8 2>&8 7>&- &
	pid=$!
	while read -rt 20 line <&7; do
		case $line in
		"$pid "*'stopped by SIGSTOP'*) return 0 ;;
		"$pid "*'+++ '*) break ;;
		esac
	done
	echo "halt $call: it did not stop: ${line-}"
	return 1
}

# resume: let it go on; its status is in $status, what it said in $said
resume() {
	local line
	kill -CONT "$pid"
	status=0 said=
	wait "$pid" || status=$?
	while read -rt 0 -u 8; do
		read -ru 8 line
		said+=$line$'\n'
	done
}

# outside: what no call of the helper may change
outside() {
	cat /proc/self/mountinfo
	ps -o pid=,args= -u boxer,stranger || :
	ls -lR --time-style=full-iso /etc /run/wgns /run/nscd /run/systemd /run/dbus
}

@test "the program has no capability, no new privileges, the caller's user and groups, and nothing of the outside" {
	box '
		sealed as boxer
		look="id -u; id -ru; id -g; id -rg; id -G; grep -E \"^(Cap[IPEA]|NoNewPrivs|Uid|Gid|Groups)\" /proc/self/status"
		as boxer "${helper[@]}" sh -c "$look" >/run/inside
		as boxer sh -c "$look" >/run/before
		cmp <(grep -v NoNewPrivs /run/inside) <(grep -v NoNewPrivs /run/before)
		grep -qx "NoNewPrivs:.1" /run/inside
		[ "$(grep -c "^Cap.*:.0000000000000000$" /run/inside)" = 4 ]'
}

@test "capabilities that the caller has, also inheritable and ambient ones, do not reach the program" {
	box '
		some=+net_raw,+net_admin,+sys_admin
		with() { setpriv --reuid boxer --regid boxer --init-groups --inh-caps $some --ambient-caps $some "$@"; }
		with grep -q "^CapAmb:.0000000000203000" /proc/self/status
		sealed with'
}

@test "nothing that is built is set-user-ID or set-group-ID" {
	local built=${WGNS%/*}
	[[ ! -x ${O-}/wgns ]] || built=$(realpath "$O")
	[ -n "$(find "$built" -name wgns-exec)" ]
	[ -z "$(find "$built" -perm /6000)" ]
}

@test "names of boxes and profiles lead nowhere else" {
	box '
		cd /run/wgns/box; mkdir -p other/etc; ln -s physical link; ln -s ../box/physical/netns other/netns
		mkdir -p /run/wgns/box/netns /run/away/etc; cp -a physical/etc /run/away
		cd ../profile; $WGNS_HELPER 2>/run/err || :
		/run/bin/hostile compiled 0 0 0 >real.bpf; ln -s real.bpf link.bpf; ln -s ../profile/real.bpf /run/open/x.bpf; cp real.bpf ../box/
		cd ..; ln -s profile profiles; cp profile/real.bpf .bpf; cp profile/real.bpf profile/.bpf
		long=$(printf %064d 0)
		for name in "" . .. ../physical ../box/physical physical/ /physical ./physical physical/../physical // "a b" \
			"physical:/" "physical,x" "a\\b" "*" "$(printf "a\nb")" "$(printf "\344")" "${long}0" "$long" link link/ other netns \
			physical/netns nonesuch -; do
			refused "open the box: " as boxer $WGNS_HELPER "$name" - 0
		done
		for name in "" . .. ../real ../profile/real real.bpf /real ./real profile/real "re al" real: "*" "${long}0" "$long" link \
			../../open/x x nonesuch --; do
			refused "read the profile: " as boxer $WGNS_HELPER physical "$name" 0
		done
		as boxer $WGNS_HELPER physical real 0 true'
}

@test "a box that is no folder with a network namespace in it is refused" {
	box '
		exec 2>&1
		cd /run/wgns/box; mkdir -p b/etc; ln -s ../physical/netns b/netns
		reason="open the box: Too many levels of symbolic links"
		refused "$reason" as boxer $WGNS_HELPER b - 0
		mv b c; ln -s c b; rm c/netns; touch c/netns; mount --bind physical/netns c/netns
		refused "$reason" as boxer $WGNS_HELPER b - 0
		rm b; touch b; refused "open the box: Not a directory" as boxer $WGNS_HELPER b - 0
		umount c/netns; rm -r b c; mkdir -p b/etc
		reason="enter the network namespace (out of a user namespace?): Invalid argument"
		mkdir b/netns; refused "$reason" as boxer $WGNS_HELPER b - 0; rmdir b/netns
		mkfifo b/netns; refused "$reason" as boxer $WGNS_HELPER b - 0; rm b/netns
		mknod b/netns c 1 3; refused "$reason" as boxer $WGNS_HELPER b - 0; rm b/netns
		touch b/netns; refused "$reason" as boxer $WGNS_HELPER b - 0
		for kind in uts ipc user pid cgroup; do
			mount --bind /proc/self/ns/$kind b/netns
			refused "$reason" as boxer $WGNS_HELPER b - 0
			umount b/netns
		done'
}

@test "a box of another group stays closed" {
	box '
		mkdir -p -m 750 /run/wgns/box/theirs; mkdir /run/wgns/box/theirs/etc; touch /run/wgns/box/theirs/netns
		mount --bind /run/wgns/box/physical/netns /run/wgns/box/theirs/netns
		chown :4343 /run/wgns/box/theirs
		refused "theirs: open the box: Permission denied" as boxer $WGNS_HELPER theirs - 0
		refused "physical: open the box: Permission denied" as stranger $WGNS_HELPER physical - 0
		as stranger $WGNS_HELPER theirs - 0 true'
}

@test "the program reads no file by the rights of the helper" {
	box '
		echo secret >/etc/roots; echo secret >/etc/theirs; echo secret >/etc/ours; chmod 600 /etc/roots; chmod 640 /etc/theirs /etc/ours
		chown :4343 /etc/theirs; chown :4300 /etc/ours
		chmod 700 /root 2>/run/err || :
		for f in /etc/roots /etc/theirs /proc/1/environ /proc/1/root/etc/passwd; do
			not as boxer "${helper[@]}" cat $f 2>/run/err
		done
		[ "$(as boxer "${helper[@]}" cat /etc/ours)" = secret ]
		not as boxer "${helper[@]}" sh -c "echo x >/etc/ours" 2>/run/err'
}

@test "the helper says why it has no capability, and starts nothing" {
	box '
		h=$WGNS_HELPER why="physical: enter the box: "
		refused "${why}no_new_privs is set: this is in a box already, or in another sandbox" \
			as boxer setpriv --no-new-privs "${helper[@]}"
		refused "${why}another process traces this one, or the helper lacks cap_sys_admin+ep" \
			as boxer strace -qq -e trace=none "${helper[@]}"
		refused "${why}another process traces this one" as boxer /run/bin/hostile sharing "${helper[@]}"
		mkdir /run/nosuid; mount -t tmpfs -o nosuid,mode=755 x /run/nosuid; cp $h /run/nosuid/h; setcap cap_sys_admin+ep /run/nosuid/h
		refused "${why}the helper is on a file system that is mounted nosuid" as boxer /run/nosuid/h physical - 0
		cp $h /run/bin/plain
		refused "${why}the helper has no file capability; \`make setcap\` or setcap(8) gives it: cap_sys_admin+ep" \
			as boxer /run/bin/plain physical - 0
		refused "${why}CAP_SYS_ADMIN is not in the bounding set, as in a container" setpriv --bounding-set -sys_admin \
			--reuid boxer --regid boxer --init-groups /run/bin/plain physical - 0
		for caps in cap_sys_admin+p cap_net_admin,cap_sys_chroot+ep; do
			setcap $caps /run/bin/plain
			refused "${why}another process traces this one, or the helper lacks cap_sys_admin+ep" as boxer /run/bin/plain physical - 0
		done
		cp $h /run/bin/setuid; setcap cap_sys_admin+ep /run/bin/setuid; chmod 4755 /run/bin/setuid
		refused "start: real and effective ids differ: nothing here may be setuid or setgid" as boxer /run/bin/setuid physical - 0
		chmod 2755 /run/bin/setuid
		refused "start: real and effective ids differ: nothing here may be setuid or setgid" as boxer /run/bin/setuid physical - 0
		# the kernel does not even start it
		not setpriv --bounding-set -sys_admin --reuid boxer --regid boxer --init-groups "${helper[@]}" touch /run/open/ran 2>/run/err
		[ ! -e /run/open/ran ]'
}

@test "a capability of a user namespace opens nothing" {
	box '
		as boxer unshare -U true || { echo no user namespaces; exit 77; }
		why="enter the network namespace (out of a user namespace?): Operation not permitted"
		refused "$why" as boxer unshare -U "${helper[@]}"
		refused "$why" as boxer unshare -Ur "${helper[@]}"
		refused "$why" as boxer unshare -Urmn "${helper[@]}"
		refused "$why" as boxer unshare -Ur $WGNS exec --physical
		cp $WGNS_HELPER /run/bin/plain
		refused "this is a user namespace, in which a file" as boxer unshare -U /run/bin/plain physical - 0
		sealed as boxer' || { (($? == 77)) && skip 'this kernel has no user namespaces for ordinary users'; }
}

@test "a user namespace in the box uncovers nothing" {
	box '
		as boxer unshare -U true || { echo no user namespaces; exit 77; }
		mkdir /run/open/at; echo seen >/run/nscd/secret
		cat >/run/open/script <<-"E"
			for dir in /etc /run/nscd /run/systemd/resolve /sys; do umount $dir || umount -l $dir; done
			mount --bind /run /run/open/at || mount --bind / /run/open/at || mount --bind /etc /run/open/at
			ls /run/open/at/nscd /run/open/at/run/nscd
			mount --rbind /run /run/open/at && umount /run/open/at/nscd
			mount --move /run/nscd /run/open/at
			mount -o remount,rw /etc && echo x >/etc/written
			mount -t overlay x -o lowerdir=/run:/usr /run/open/at
			nsenter --net=/proc/1/ns/net true && echo BROKEN
			[ -z "$(ls -A /run/nscd /run/open/at/nscd | grep secret)" ] || echo BROKEN
			[ "$(cat /etc/resolv.conf)" = "nameserver 192.0.2.53" ] || echo BROKEN
			echo done
		E
		[ "$(as boxer "${helper[@]}" unshare -Urm --propagation unchanged sh /run/open/script 2>/run/err)" = done ]
		[ ! -e /etc/written ]' || { (($? == 77)) && skip 'this kernel has no user namespaces for ordinary users'; }
}

@test "in a chroot the program is sealed as well, or not started" {
	box '
		mkdir -p /run/plain/{usr,etc,sys,proc,run/wgns,run/nscd,run/systemd/resolve}; ln -s usr/bin usr/lib usr/lib64 /run/plain
		mount --rbind /usr /run/plain/usr; mount --rbind /run/wgns /run/plain/run/wgns
		cp $WGNS_HELPER /run/plain; setcap cap_sys_admin+ep /run/plain/wgns-exec
		refused "make / a slave of the mounts outside (is this a chroot?): Invalid argument" \
			chroot --userspec=4242:4242 --groups=4299 /run/plain /wgns-exec physical - 0
		mkdir /run/copy; mount --rbind / /run/copy
		outside >/run/before
		sealed chroot --userspec=4242:4242 --groups=4299 /run/copy
		outside | cmp - /run/before'
}

@test "a box that is replaced while the helper enters it is not entered" {
	box '
		cd /run/wgns/box
		witness=(/run/bin/hostile witness $inside)
		# another namespace at the same place
		halt openat2 "${helper[@]}" "${witness[@]}"
		umount -l physical/netns
		unshare --net sh -c "ip link add inbox type veth peer name inbox2 && mount --bind /proc/self/ns/net physical/netns"
		[ "$(stat -Lc %i physical/netns)" != $inside ]
		resume
		[[ $status$said = "0sealed"* ]] || { echo "$said"; exit 1; }
		# another folder, and none
		inside=$(stat -Lc %i physical/netns)
		for call in openat2 setns unshare; do
			halt $call "${helper[@]}" touch /run/open/ran
			mv physical away
			resume
			[[ $status = 125 && $said = *"mount an overlay on /etc: No such file or directory"* ]]
			mv away physical
		done
		# a namespace that has no name any more
		halt openat2 "${helper[@]}" /run/bin/hostile witness $inside
		umount -l physical/netns
		resume
		[[ $status$said = "0sealed"* ]]
		refused "Invalid argument" as boxer "${helper[@]}"
		[ ! -e /run/open/ran ]'
}

# up makes the namespace before the files, and may be killed in between
@test "limits that another process of the user lowers half-way give a sealed program or none" {
	box '
		outside >/run/before
		n_sealed=0 n_refused=0
		for call in openat2 setns mount:when=1 mount:when=2 mount:when=5 capset prctl:when=2 close_range; do
			for limit in nofile=0 nofile=3 as=4096 stack=4096 nproc=0 fsize=0 cpu=0; do
				halt $call "${helper[@]}" /run/bin/hostile witness $inside
				as boxer prlimit --pid $pid --${limit%=*}=${limit#*=}:${limit#*=}
				resume
				case $status:$said in
				0:sealed*) n_sealed=$((n_sealed + 1)) ;;
				0:* | *OPEN:*) echo "$call $limit: status $status: $said"; exit 1 ;;
				*) n_refused=$((n_refused + 1)) ;;
				esac
			done
		done
		((n_sealed > 20 && n_refused > 5)) || { echo "$n_sealed sealed, $n_refused refused"; exit 1; }
		outside | cmp - /run/before'
}

@test "a helper that is killed half-way leaves nothing" {
	box '
		outside >/run/before
		for call in openat2 setns unshare mount:when=1 mount:when=2 mount:when=3 mount:when=5 move_mount capset close_range; do
			status=0
			strace -qq -u boxer -o /run/trace2 -e inject=$call:signal=KILL "${helper[@]}" touch /run/open/ran || status=$?
			[ $status = 137 ] || { echo "$call: $status"; exit 1; }
		done 2>/run/err
		[ ! -e /run/open/ran ]
		outside | cmp - /run/before'
}

@test "a helper that stands still is closed to other processes of the user" {
	box '
		for call in setns mount:when=3 capset close_range; do
			halt $call "${helper[@]}" /run/bin/hostile witness $inside
			tracer=$(awk "/^TracerPid/ { print \$2 }" /proc/$pid/status)
			kill -KILL $tracer
			until grep -qx "TracerPid:.0" /proc/$pid/status; do :; done
			for file in environ auxv maps mem fd fd/0 ns/net ns/mnt root/etc/passwd cwd/. exe; do
				not as boxer cat /proc/$pid/$file 2>/run/err >/run/out
				grep -q "Permission denied\|Operation not permitted" /run/err || { echo "$call $file"; cat /run/err; exit 1; }
			done
			not as boxer nsenter -t $pid -n true 2>/run/err
			not as boxer sh -c "echo 1000 >/proc/$pid/oom_score_adj" 2>/run/err
			not as boxer timeout 10 strace -qq -o /run/open/x -p $pid 2>/run/err
			grep -q "Operation not permitted" /run/err
			resume
			[[ $status$said = "0sealed"* ]] || { echo "$call: $said"; exit 1; }
		done'
}

@test "the helper starts nothing when any of its system calls fails or lies" {
	box '
		/run/bin/hostile compiled 3 1 1 0x06 0x06 >/run/wgns/profile/p.bpf
		try() {
			local status=0 fault=$1
			shift
			strace -qq -u boxer -o /run/trace2 "$@" -e inject=$fault $WGNS_HELPER physical p 0 touch /run/open/ran 2>/run/err || status=$?
			grep -q INJECTED /run/trace2 || { echo "$fault: not reached"; exit 1; }
			[ $status = 125 ] || { echo "$fault: status $status"; exit 1; }
			grep -q "^wgns: exec: ." /run/err || { echo "$fault: no reason"; exit 1; }
			not grep -q "execve.*\[\"touch" /run/trace2 || { echo "$fault: started"; exit 1; }
		}
		outside >/run/before
		for fault in openat2:error=EACCES:when=1 openat2:error=EMFILE:when=2 setns:error=EPERM unshare:error=ENOSPC \
			mount:error=EINVAL:when=1 mount:error=ENODEV:when=2 mount:error=EPERM:when=3 mount:error=ENOMEM:when=4 \
			mount:error=EACCES:when=5 mount:error=ENOSPC:when=6 mount:error=EBUSY:when=7 statfs:error=EIO:when=1 \
			move_mount:error=EINVAL capget:error=EINVAL:when=1 capget:error=EPERM:when=2 capset:error=EPERM capset:retval=0 \
			prctl:error=EINVAL:when=1 prctl:error=EPERM:when=2 prctl:retval=0:when=2 prctl:error=EINVAL:when=3 \
			prctl:error=ENOMEM:when=4 prctl:error=EACCES:when=5 close_range:error=ENOSYS; do
			try $fault
		done
		try read:error=EIO -P /run/wgns/profile/p.bpf
		try openat:error=EMFILE:when=1 -P /
		try openat:error=ENFILE -P /sys/fs/cgroup
		cd /etc
		try chdir:error=ENOMEM
		cd /
		outside | cmp - /run/before
		as boxer $WGNS_HELPER physical p 0 touch /run/open/ran'
}

@test "two lies at once are found out" {
	box '
		status=0
		strace -qq -u boxer -o /run/trace2 -e inject=capset:retval=0 -e inject=capget:retval=0:when=2 "${helper[@]}" \
			touch /run/open/ran 2>/run/err || status=$?
		[ $status = 125 ]
		[ ! -e /run/open/ran ]'
}

@test "the environment has no power over the helper" {
	box '
		cd /run/open; cp /run/bin/evil.so libc.so.6; cp /run/bin/evil.so evil-conv.so
		printf "module\tEVIL//\tINTERNAL\tevil-conv\t1\nmodule\tINTERNAL\tEVIL//\tevil-conv\t1\n" >gconv-modules
		mkdir -p C.UTF-8/LC_MESSAGES locale; echo x >C.UTF-8/LC_MESSAGES/libc.mo
		as boxer env LD_PRELOAD=/run/bin/evil.so true; rm evil
		outside >/run/before; ls -A >/run/files
		for setting in LD_PRELOAD=/run/bin/evil.so LD_AUDIT=/run/bin/evil.so LD_LIBRARY_PATH=/run/open LD_DEBUG=all \
			LD_PROFILE=libc.so.6 GCONV_PATH=/run/open LOCPATH=/run/open NLSPATH=/run/open/%N MALLOC_TRACE=/run/open/mtrace \
			RESOLV_HOST_CONF=/etc/roots GETCONF_DIR=/run/open TMPDIR=/run/open PATH=/nonexistent IFS=/ BASH_ENV=/run/bin/evil.so \
			GLIBC_TUNABLES=glibc.malloc.check=3:glibc.rtld.optional_static_tls=9999999 \
			GLIBC_TUNABLES=glibc.malloc.mxfast=glibc.malloc.mxfast=A LD_HWCAP_MASK=0 LD_BIND_NOT=1 LD_ORIGIN_PATH=/run/open; do
			sealed as boxer env $setting LANG=x.EVIL LC_ALL=x.EVIL LANGUAGE=x CHARSET=EVIL LD_DEBUG_OUTPUT=/run/open/debug \
				LD_PROFILE_OUTPUT=/run/open
			refused "nonesuch: open the box: No such file or directory" \
				as boxer env $setting LANG=x.EVIL LC_ALL=x.EVIL OUTPUT_CHARSET=EVIL LD_DEBUG_OUTPUT=/run/open/debug $WGNS_HELPER nonesuch - 0
		done
		ls -A | cmp - /run/files
		outside | cmp - /run/before'
}

@test "closed standard descriptors are never filled with something of the helper" {
	box '
		h="${helper[*]} /run/bin/hostile standard /run/open/fds"
		for combination in "" "<&-" ">&-" "2>&-" "<&- >&-" "<&- 2>&-" ">&- 2>&-" "<&- >&- 2>&-"; do
			as boxer sh -c "exec $h </dev/zero >/dev/zero 2>/dev/zero $combination"
			# closed, or what the loader of a privileged program puts there
			grep -qxE "(/dev/(zero|null|full)|);(/dev/(zero|null|full)|);(/dev/(zero|null|full)|)" /run/open/fds || {
				echo "$combination:"; cat /run/open/fds; exit 1; }
			rm /run/open/fds
			sealed as boxer sh -c "exec 3>&1; exec \"\$@\" </dev/zero 2>/dev/zero ${combination/>&-/}" -
		done'
}

@test "limits and arguments at their edge" {
	box '
		# one that is not linked statically is ended by the loader
		readelf -lW $WGNS_HELPER | grep -q INTERP || refused "open the box: Too many open files" as boxer prlimit --nofile=3 "${helper[@]}"
		for limit in nofile=0 nofile=3 nofile=4 nofile=5 fsize=0 as=1000000 as=3000000 stack=8192 stack=65536 data=0 \
			nproc=0 cpu=0 core=0 memlock=0 sigpending=0 locks=0; do
			status=0
			said=$(as boxer prlimit --$limit "${helper[@]}" /run/bin/hostile witness $inside 2>/run/err) || status=$?
			[ "$status$said" = 0sealed ] || { [ $status != 0 ] && [ "$said" = "" ]; } || { echo "$limit: $status: $said"; exit 1; }
		done
		sealed as boxer prlimit --fsize=0 --nproc=0 --core=0
		[ "$(as boxer "${helper[@]}" sh -c "echo \$#" - $(seq 100000))" = 100000 ]
		long=$(printf %0131071d 0)
		[ "$(as boxer "${helper[@]}" sh -c "echo \${#1}" - $long)" = 131071 ]
		refused "open the box: Invalid argument" as boxer $WGNS_HELPER $long - 0
		refused "read the profile: Invalid argument" as boxer $WGNS_HELPER physical $long 0
		refused "usage: wgns-exec BOX PROFILE SOCKETS PROGRAM [ARG...]" as boxer $WGNS_HELPER physical - $long
		for args in "" physical "physical -" "physical - 0"; do
			status=0; said=$(as boxer $WGNS_HELPER $args 2>&1) || status=$?
			[[ $status = 125 && $said = "wgns: exec: usage: "* ]]
		done
		status=0; said=$(as boxer /run/bin/hostile no-arguments $WGNS_HELPER 2>&1) || status=$?
		[[ $status = 125 && $said = "wgns: exec: usage: "* ]]
		status=0; as boxer "${helper[@]}" "" 2>/run/err || status=$?
		[ $status = 127 ]
		sealed as boxer sh -c "umask 0777; exec \"\$@\"" -'
}

@test "no descriptor of the outside gets in" {
	box '
		sealed as boxer /run/bin/hostile descriptors
		helper=($WGNS_HELPER physical - 99)
		sealed as boxer /run/bin/hostile clean'
}

@test "as many sockets as named stay, and no more; anything but a small number is refused" {
	box '
		count() { as boxer bash -c "exec 3</dev/zero 4</dev/zero 5</dev/zero 9</dev/zero 1000</dev/zero; exec $WGNS_HELPER physical - $1 bash -c \
			\"for n in 3 4 5 9 1000; do [ ! -e /proc/\\\$\\\$/fd/\\\$n ] || echo \\\$n; done\"" | tr "\n" " "; }
		[ "$(count 0)" = "" ]
		[ "$(count 1)" = "3 " ]
		[ "$(count 2)" = "3 4 " ]
		[ "$(count 99)" = "3 4 5 9 " ]
		for n in "" -1 -3 -9 +2 " 2" "2 " 1x 0x1 x 100 4294967295 4294967296 4294967299 99999999999999999999 1.0 1e1; do
			refused "usage: wgns-exec BOX PROFILE SOCKETS PROGRAM [ARG...]" as boxer $WGNS_HELPER physical - "$n" || echo "SOCKETS=$n" >>/run/bad
		done
		not cat /run/bad 2>/run/err'
}

@test "a folder that is covered is covered for a program that is started in it" {
	box '
		/run/bin/hostile compiled 1 0 0 >/run/wgns/profile/nobus.bpf
		nsenter --net=/run/wgns/box/physical/netns sh -c "echo 77 >/proc/sys/net/core/somaxconn"
		[ "$(cat /proc/sys/net/core/somaxconn)" != 77 ]
		bad=
		cd /etc; [ "$(as boxer "${helper[@]}" cat resolv.conf)" = "nameserver 192.0.2.53" ] || bad+=" /etc"
		cd /sys/class/net; [ "$(as boxer "${helper[@]}" ls | tr "\n" " ")" = "inbox inbox2 lo " ] || bad+=" /sys/class/net"
		for dir in /run/nscd /run/systemd/resolve; do
			cd $dir; [ -z "$(as boxer "${helper[@]}" ls -A .)" ] || bad+=" $dir"
		done
		cd /run/dbus; [ -z "$(as boxer $WGNS_HELPER physical nobus 0 ls -A .)" ] || bad+=" /run/dbus"
		cd /proc/sys/net/core; [ "$(as boxer "${helper[@]}" cat somaxconn)" = 77 ] || bad+=" /proc/sys/net/core"
		# what cannot be told cannot be walked to again
		cd /etc; said=$(strace -qq -u boxer -o /run/trace2 -e inject=getcwd:error=ENOMEM "${helper[@]}" cat resolv.conf 2>/run/err) || :
		[[ $said != *192.0.2.1 ]] || bad+=" /etc without getcwd"
		[ -z "$bad" ] || { echo "the outside is seen in$bad"; exit 1; }'
}

@test "where the working directory cannot be reached by its path, nothing is started" {
	box '
		try() { refused "wgns: exec: go to the working directory again, as the program (try another one): $1" as boxer "${helper[@]}"; }
		for parent in /run /etc; do
			mkdir $parent/gone; cd $parent/gone; rmdir $parent/gone; try "No such file or directory"
			mkdir -p $parent/closed/in; chmod 700 $parent/closed; cd $parent/closed/in; try "Permission denied"
		done
		mkdir /run/mounted; mount -t tmpfs x /run/mounted; cd /run/mounted; umount -l /run/mounted; try "No such file or directory"
		# a link to what is covered, put there meanwhile
		mkdir -p /run/open/own/here; ln -s /run/systemd/resolve /run/open/own/link; chown -hR boxer /run/open/own
		cd /run/open/own/here
		halt getcwd "${helper[@]}" ls -A
		as boxer sh -c "cd /run/open/own && mv here away && mv link here"
		resume
		[ "$status$said" = 0 ]'
}

@test "for a user of sudo root does not walk where that user cannot" {
	box '
		mkdir -p /run/closed/in /run/open/own/here; chmod 700 /run/closed; echo secret >/run/closed/in/file
		ln -s /run/closed/in /run/open/own/link; chown -hR boxer /run/open/own
		not as boxer cat /run/closed/in/file 2>/run/err
		cd /run/open/own/here
		export SUDO_UID=4242 SUDO_GID=4242
		root=yes halt getcwd $WGNS exec --physical cat file
		as boxer sh -c "cd /run/open/own && mv here away && mv link here"
		resume
		[[ $status != 0 && $said != *secret* ]] || { echo "status $status: $said"; exit 1; }'
}

@test "a profile that is damaged is not used" {
	box '
		p=/run/wgns/profile/p.bpf
		try() { refused "$1" as boxer $WGNS_HELPER physical p 0; }
		bad="p: read the profile: Bad message"
		/run/bin/hostile compiled 0 1 0 0x06 >/run/good
		cp /run/good $p; [ "$(as boxer $WGNS_HELPER physical p 0 grep ^Seccomp: /proc/self/status)" = "Seccomp:	2" ]
		for ((n = 0; n < 28; n++)); do head -c $n /run/good >$p; try "$bad"; done
		{ cat /run/good; printf x; } >$p; try "$bad"
		{ cat /run/good; cat /run/good; } >$p; try "$bad"
		{ printf wgnsprf0; tail -c +9 /run/good; } >$p; try "$bad"
		{ printf "\0"; tail -c +2 /run/good; } >$p; try "$bad"
		for lengths in "0xffffffff 0" "0 0xffffffff" "0xffffffff 2" "0x80000000 0x80000001" "65536 0" "65537 0" "0 65537" "4097 0" "0 0" "2 0" "0 2" "1 1"; do
			/run/bin/hostile compiled 0 $lengths 0x06 >$p; try "$bad"
		done
		# the largest one, and a byte more
		/run/bin/hostile compiled 0 4000 96 $(yes 0x06 | head -n 4096) >$p; as boxer $WGNS_HELPER physical p 0 true
		printf x >>$p; try "$bad" || echo "as large as can be, and a byte more" >/run/bad
		# what the kernel refuses: an instruction that there is not, no return at the end, a jump behind it
		for code in 0xffff 0x00 0x05; do
			/run/bin/hostile compiled 0 1 0 $code >$p; try "load the filter of system calls: Invalid argument"
			/run/bin/hostile compiled 0 1 1 0x06 $code >$p; try "load the filter of system calls: Invalid argument"
		done
		rm $p; mkdir $p; try "read the profile: Is a directory"
		rmdir $p; mkfifo $p; try "$bad"
		rm $p; cp /run/good $p; chmod 640 $p; chown :4343 $p; try "p: read the profile: Permission denied"
		chown :4300 $p; as boxer $WGNS_HELPER physical p 0 true
		not cat /run/bad 2>/run/err'
}

@test "every program of a profile is loaded" {
	box '
		/run/bin/hostile compiled 0 1 1 0x06 0x06 >/run/wgns/profile/p.bpf
		[ "$(as boxer $WGNS_HELPER physical p 0 grep ^Seccomp_filters: /proc/self/status)" = "Seccomp_filters:	2" ]'
}

@test "a profile hides the system bus, and gives a folder that is empty, the user's own and gone afterwards" {
	box '
		outside >/run/before
		/run/bin/hostile compiled 1 0 0 >/run/wgns/profile/nobus.bpf
		/run/bin/hostile compiled 2 0 0 >/run/wgns/profile/fresh.bpf
		fresh=/run/wgns/box/physical/fresh
		[ "$(as boxer "${helper[@]}" ls /run/dbus)" = system_bus_socket ]
		[ -z "$(as boxer $WGNS_HELPER physical nobus 0 ls -A /run/dbus)" ]
		not as boxer $WGNS_HELPER physical nobus 0 touch /run/dbus/x 2>/run/err
		not as boxer "${helper[@]}" touch $fresh/x 2>/run/err
		umask 0777; look="stat -c \"%a %u %F\" $fresh; stat -fc %T $fresh; ls -A $fresh; echo x >$fresh/x && chmod 600 $fresh/x && cat $fresh/x"
		[ "$(as boxer $WGNS_HELPER physical fresh 0 sh -c "$look" | tr "\n" " ")" = "700 4242 directory tmpfs x " ]
		[ "$(as boxer $WGNS_HELPER physical fresh 0 sh -c "$look" | tr "\n" " ")" = "700 4242 directory tmpfs x " ]
		umask 022
		grep -q "nosuid,nodev" <(as boxer $WGNS_HELPER physical fresh 0 grep " $fresh " /proc/self/mountinfo)
		# two at once
		mkfifo -m 666 /run/open/go /run/open/ready
		as boxer $WGNS_HELPER physical fresh 0 sh -c "echo first >$fresh/x; echo >/run/open/ready; read -r _ </run/open/go; cat $fresh/*" >/run/first &
		read -r _ </run/open/ready
		[ -z "$(as boxer $WGNS_HELPER physical fresh 0 ls -A $fresh)" ]
		[ -z "$(ls -A $fresh)" ]
		echo >/run/open/go; wait
		[ "$(cat /run/first)" = first ]
		rm /run/wgns/profile/{nobus,fresh}.bpf
		cmp <(outside | grep -v "profile\|^total\|wgns$") <(grep -v "profile\|^total\|wgns$" /run/before)
		/run/bin/hostile compiled 2 0 0 >/run/wgns/profile/fresh.bpf
		rmdir $fresh; refused "mount a fresh folder: No such file or directory" as boxer $WGNS_HELPER physical fresh 0
		umount /run/dbus; rm -r /run/dbus; /run/bin/hostile compiled 1 0 0 >/run/wgns/profile/nobus.bpf
		refused "hide /run/dbus: No such file or directory" as boxer $WGNS_HELPER physical nobus 0'
}

@test "who is not in the group is told how to get into it, and nothing happens" {
	box '
		ask() { said=$("$@" $WGNS exec --physical touch /run/open/ran 2>&1) && return 1 || [ $? = 125 ]; }
		outside >/run/before
		ask as stranger
		[ "$said" = "wgns: exec: permission denied: group wgns may enter physical
  hint: sudo usermod -aG wgns stranger, and log in again" ]
		ask setpriv --reuid boxer --regid boxer --clear-groups
		[ "$said" = "wgns: exec: permission denied: group wgns may enter physical
  hint: boxer was added after this login: log out and in again" ]
		ask setpriv --reuid 5555 --regid 5555 --clear-groups
		[[ $said = *"sudo usermod -aG wgns USER, "* ]]
		outside | cmp - /run/before
		chown :0 /run/wgns/box/physical; ask as boxer
		[ "$said" = "wgns: exec: permission denied: only root may enter physical
  hint: its group did not exist: sudo groupadd --system wgns, sudo usermod -aG wgns USER, and \`wgns down\` and \`up\`" ]
		chown :4999 /run/wgns/box/physical; ask as boxer
		[ "$said" = "wgns: exec: permission denied: group 4999 may enter physical" ]
		chmod 700 /run/wgns/box; ask as boxer; chmod 755 /run/wgns/box
		[ ! -e /run/open/ran ]
		chown :4299 /run/wgns/box/physical; as boxer $WGNS exec --physical touch /run/open/ran'
}

@test "no way leads from a box into a box" {
	box '
		look() { as boxer $WGNS exec --physical "$@"; }
		refused "physical: enter the box: no_new_privs is set: this is in a box already, or in another sandbox" look $WGNS exec --physical
		refused "no_new_privs is set" look "${helper[@]}"
		refused "wgns: exec: --home is for root" look $WGNS exec --home
		not look nsenter --net=/proc/$$/ns/net true 2>/run/err
		not look nsenter --net=/run/wgns/box/physical/netns true 2>/run/err
		not look unshare --mount true 2>/run/err
		not look umount /etc 2>/run/err
		cp "$(command -v cat)" /run/bin/cat4; chmod 4755 /run/bin/cat4; echo secret >/etc/roots; chmod 600 /etc/roots
		[ "$(as boxer /run/bin/cat4 /etc/roots)" = secret ]
		not look /run/bin/cat4 /etc/roots 2>/run/err'
}

@test "wgns exec says why it cannot enter" {
	box '
		refused "no_new_privs is set" as boxer setpriv --no-new-privs $WGNS exec --physical
		refused "another process traces this one" as boxer strace -f -qq -e trace=none $WGNS exec --physical
		without() { setpriv --bounding-set -sys_admin --reuid boxer --regid boxer --init-groups "$@"; }
		refused "start the helper $WGNS_HELPER: Operation not permitted
  hint: CAP_SYS_ADMIN is not in the bounding set here, as in a container" without $WGNS exec --physical'
}
