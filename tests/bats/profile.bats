#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: none
# profiles, from the file to what the program can do: as an ordinary user and as root
# shellcheck disable=SC2154 # run sets status, output and stderr
# shellcheck disable=SC2016 # the scripts are for the shell in the lab

load change

readonly own=/etc/wgns/profiles shipped=/run/bin/profiles
# what the calls of tests/lab/inside.c are, in its order
readonly debug_calls='ptrace process_vm_readv kcmp pidfd_getfd perf_event_open'

setup_file() {
	# shellcheck disable=SC2086 # it may have options
	${CC:-cc} -std=gnu17 -D_GNU_SOURCE -O1 -Wall -o "$BATS_FILE_TMPDIR/inside" "$BATS_TEST_DIRNAME/../lab/inside.c"
}

setup() { lab; }
teardown() { lab_down; }

# lab ARG...: with wgns, programs of the tests, and room for profiles; /run/open is for everyone to write in
lab() {
	lab_up "$@"
	lab_install
	lab_run install -m 755 "$BATS_FILE_TMPDIR/inside" /run/bin/inside
	lab_run install -d -m 755 $own
	lab_run install -d -m 1777 /run/open
}

# file NAME: in /etc/wgns/profiles, of standard input; profile NAME: the part [Profile]
file() { lab_run install -m 644 /dev/stdin "$own/$1"; }
profile() { { echo '[Profile]' && cat; } | file "$1.profile"; }

alice() { lab_as alice wgns exec "$@"; }
# not by sudo, whoever runs the tests
root() { lab_run env -C / -u SUDO_UID -u SUDO_GID -u SUDO_USER PATH=/run/bin:$PATH /run/bin/wgns exec "$@"; }

# refuses TEXT CMD...: CMD, with a program to start, ends with 125 after TEXT, and starts nothing
refuses() {
	local text=$1
	shift
	lab_run rm -f /run/open/ran
	run "$@" touch /run/open/ran
	[ "$status" = 125 ] || { echo "status $status: $output" >&2; return 1; }
	[ "$output" = "$text" ] || { echo "not '$text' but: $output" >&2; return 1; }
	run ! lab_run test -e /run/open/ran
}

# denied CMD...: what of its answers is "not permitted", in a line
denied() {
	local answers
	answers=$("$@") && [[ $answers = *': '* ]] || { echo "no answers: $*"; return; }
	sed -n 's/: Operation not permitted$//p' <<<"$answers" | xargs
}

# alice may call sudo without a password: it looks for the name of the machine, and whether the account is valid
allow_sudo() {
	command -v sudo >/dev/null || skip_or_fail 'sudo is not installed'
	lab_run sh -euc 'echo "127.0.1.1 $(hostname)" >>/etc/hosts
		echo "alice:*:20000:0:99999:7:::" >>/etc/shadow
		echo "alice ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/alice'
}

# stale NAME WHY [CMD...]: alice is refused it with a hint, and can use it after root did what the hint says
stale() {
	local name=$1 why=$2
	shift 2
	local hint="sudo wgns exec --profile $name --in physical true"
	[ $# -gt 0 ] || set -- true
	run -125 alice --profile "$name" --physical "$@"
	[ "$output" = "wgns: exec: $why"$'\n'"  hint: root's next use compiles it: $hint" ] || { echo "$output" >&2; return 1; }
	root ${hint#sudo wgns exec }
	alice --profile "$name" --physical "$@"
}

@test "Box says where the program runs, unless the command line does" {
	profile there <<<'Box = physical'
	profile here <<<'Box = home'
	profile office <<<'Box = office'
	profile nowhere <<<'Description = says nothing'
	up wg1
	look='readlink /proc/self/ns/net'
	physical=net:[$(lab_run stat -Lc %i /run/wgns/box/physical/netns)]
	home=$(lab_run $look)
	[ "$(alice --profile there $look)" = "$physical" ]
	[ "$(root --profile there $look)" = "$physical" ]
	[ "$(root --profile there --home $look)" = "$home" ]
	[ "$(root --profile here $look)" = "$home" ]
	[ "$(root --profile here --physical $look)" = "$physical" ]
	[ "$(alice --profile here --physical $look)" = "$physical" ]
	refuses 'wgns: exec: --home is for root' alice --profile here
	refuses $'wgns: exec: office is not up\n  hint: this version has one box: physical' alice --profile office
	for who in alice root; do
		refuses 'wgns: exec: where? the profile nowhere names no box: give --physical or --in BOX' $who --profile nowhere
	done
}

@test "Group says who can use a profile, and the kernel sees to it" {
	lab_run sh -c 'printf "guests:x:4810:alice,mallory\nothers:x:4811:\n" >>/etc/group'
	profile guests <<<'Group = guests'
	profile others <<<'Group = others'
	up wg1
	[ "$(lab_run stat -c '%a %U:%G %n' /run/wgns/profile/{guests,others}.bpf)" = "640 root:guests /run/wgns/profile/guests.bpf
640 root:others /run/wgns/profile/others.bpf" ]
	[ "$(alice --profile guests --physical id -un)" = alice ]
	[ "$(lab_as alice /run/bin/wgns-exec physical guests 0 id -un)" = alice ]
	refuses 'wgns: exec: permission denied: group others may use the profile others
  hint: after usermod(8): log out and in again; when the group is a new one: sudo wgns exec --profile others --in physical true' \
		alice --profile others --physical
	refuses 'wgns: exec: others: read the profile: Permission denied' lab_as alice /run/bin/wgns-exec physical others 0
	# who is in the profile's group has to be in the box's, too
	refuses $'wgns: exec: permission denied: group wgns may enter physical\n  hint: sudo usermod -aG wgns mallory, and log in again' \
		lab_as mallory wgns exec --profile guests --physical
	refuses 'wgns: exec: physical: open the box: Permission denied' lab_as mallory /run/bin/wgns-exec physical guests 0
	[ "$(root --profile others --physical id -u)" = 0 ]
	# and after the next login
	lab_run sed -i 's/^others:.*/&alice/' /etc/group
	[ "$(alice --profile others --physical id -un)" = alice ]
}

@test "Capabilities are kept, exactly these, and the profile is for root" {
	profile net <<-"E"
		Box = physical
		Capabilities = net_admin CAP_NET_RAW
	E
	profile none <<<'Capabilities = none'
	up wg1
	for user in root alice; do
		run -0 --separate-stderr root --user $user --profile net grep -E '^(Cap|NoNewPrivs)' /proc/self/status
		[ "$output" = "$(printf '%s:\t0000000000003000\n' CapInh CapPrm CapEff CapBnd CapAmb; printf 'NoNewPrivs:\t1')" ]
		[ "$stderr" = 'wgns: warning: the program keeps privileges in physical: profile net' ]
		root --user $user --profile net ip link set eth0 alias "by $user"
		[ "$(lab_run ip -n physical -j link show eth0 | jq -r '.[0].ifalias')" = "by $user" ]
	done
	[ "$(root --user alice --profile net id -un)" = alice ]
	run ! root --profile net chown alice /run/bin/inside
	run ! root --physical ip link set eth0 alias nobody
	[[ $output = *'Operation not permitted'* ]]
	refuses "wgns: exec: the profile net keeps privileges: only root can use it
  hint: sudo wgns exec --user root --profile net ..." alice --profile net
	[ "$(alice --profile none --physical id -un)" = alice ]
}

@test "NoNewPrivs = no lets set-user-ID programs work, and the profile is for root" {
	profile gain <<<'NoNewPrivs = no'
	up wg1
	lab_run sh -c 'cp "$(command -v id)" /run/open/id && chmod 4755 /run/open/id'
	[ "$(root --physical --user alice /run/open/id -u)" = 4801 ]
	[ "$(root --physical --user alice --profile gain /run/open/id -u)" = 0 ]
	run -0 --separate-stderr root --physical --user alice --profile gain grep -E '^(Cap[IPEA]|NoNewPrivs)' /proc/self/status
	[ "$output" = "$(printf '%s:\t0000000000000000\n' CapInh CapPrm CapEff CapAmb; printf 'NoNewPrivs:\t0')" ]
	[ "$stderr" = 'wgns: warning: the program keeps privileges in physical: profile gain' ]
	refuses "wgns: exec: the profile gain keeps privileges: only root can use it
  hint: sudo wgns exec --user root --profile gain ..." alice --physical --profile gain
}

@test "the profile shell is a full root shell in physical, and says so" {
	up wg1
	run -0 --separate-stderr root --user root --profile shell --physical bash -euc '
		grep -E "^(Cap|NoNewPrivs|Uid|Gid)" /proc/self/status
		readlink /proc/self/ns/net
		ip link add made type veth peer name made2
		mount -t tmpfs x /mnt
		nsenter --net=/proc/1/ns/net readlink /proc/self/ns/net'
	own_caps=$(lab_run sed -n 's/^CapEff:.//p' /proc/self/status)
	for set in CapInh CapPrm CapEff CapBnd CapAmb; do
		[[ $output = *"$set:"$'\t'"$own_caps"* ]]
	done
	[[ $output = *$'Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n'*$'NoNewPrivs:\t0'"
net:[$(lab_run stat -Lc %i /run/wgns/box/physical/netns)]
$(lab_run readlink /proc/self/ns/net)" ]]
	[ "$stderr" = 'wgns: warning: the program keeps privileges in physical: profile shell' ]
	lab_run ip -n physical link show made
	refuses "wgns: exec: the profile shell keeps privileges: only root can use it
  hint: sudo wgns exec --user root --profile shell ..." alice --physical --profile shell
}

@test "through sudo a profile that keeps privileges asks who is to have them" {
	allow_sudo
	profile net <<<'Capabilities = net_admin'
	up wg1
	by_sudo() { lab_as alice sudo /run/bin/wgns exec --physical "$@"; }
	for name in shell net dhcp; do
		refuses "wgns: exec: the profile $name keeps privileges: say who gets them
  hint: --user root, or another user" by_sudo --profile $name
	done
	look='id -u; sed -n "s/^CapEff:.//p" /proc/self/status'
	[ "$(by_sudo --user root --profile net sh -c "$look" 2>/dev/null)" = $'0\n0000000000001000' ]
	[ "$(by_sudo --user alice --profile net sh -c "$look" 2>/dev/null)" = $'4801\n0000000000001000' ]
	[ "$(by_sudo --user root --profile shell sh -c "$look" 2>/dev/null)" = "$(lab_run sh -c "$look")" ]
	# the others are the user's own
	[ "$(by_sudo --profile strict sh -c "$look")" = $'4801\n0000000000000000' ]
}

@test "SystemBus = no empties the folder of the system bus" {
	profile bus <<<'SystemBus = yes'
	profile nobus <<<'SystemBus = no'
	lab_run sh -c 'mkdir -p /run/dbus && touch /run/dbus/system_bus_socket'
	up wg1
	for who in alice root; do
		[ "$($who --profile bus --physical ls -A /run/dbus)" = system_bus_socket ]
		for dir in /run/dbus /var/run/dbus; do
			run -0 $who --profile nobus --physical ls -A $dir
			[ -z "$output" ]
		done
		run ! $who --profile nobus --physical touch /run/dbus/system_bus_socket
		[[ $output = *'Read-only file system'* ]]
	done
	# what user 0 could give systemd orders by
	for name in dhcp supplicant; do
		run -0 --separate-stderr root --user root --profile $name ls -A /run/dbus
		[ -z "$output" ]
	done
	[ "$(lab_run ls /run/dbus)" = system_bus_socket ]
}

@test "Listen = no keeps --listen from everybody" {
	profile quiet <<<'Listen = no'
	up wg1
	for name in quiet strict dhcp; do
		refuses "wgns: exec: the profile $name does not offer --listen" alice --physical --profile $name --listen 8080
		refuses "wgns: exec: the profile $name does not offer --listen" root --user root --physical --profile $name --listen 8080
	done
	[ "$(alice --physical --listen 8080 inside sockets)" = $'3 127.0.0.1:8080\n1 sockets' ]
}

@test "Unset, Environment and -E count in this order, the later one of the same name, and reach the program alone" {
	profile vars <<-"E"
		Environment = A=one  two   # a remark
		Environment = B=first
		Environment = B=second
		Environment = HOME=/run/open
		Environment = EMPTY=
		Environment = SUM=1+1=2
		Environment = LD_PRELOAD=/nonexistent.so
		Unset = HOME TERM
		Unset = GONE NEVER
	E
	up wg1
	look='echo "[$A][$B][$HOME][${EMPTY-unset}][$SUM][${TERM-unset}][${GONE-unset}][$KEPT][$GIVEN]"'
	for who in 'lab_as alice env' 'lab_run env'; do
		# shellcheck disable=SC2086 # two words
		run -0 --separate-stderr $who TERM=dumb GONE=1 KEPT=kept SUM=0 /run/bin/wgns exec --physical --profile vars \
			-E GIVEN=1 -E GIVEN=2 -E B=third sh -c "$look"
		[ "$output" = '[one  two][third][/run/open][][1+1=2][unset][unset][kept][2]' ]
		[[ $stderr = *"object '/nonexistent.so' from LD_PRELOAD"* ]]
		[[ $stderr != *wgns* ]]
	done
	[ "$(alice --physical --profile vars -E LD_PRELOAD= sh -c 'echo $B')" = second ]
	refuses "wgns: exec: variables cannot be set for a program that has '=' in its name" alice --physical --profile vars a=b
}

@test "Command stands in front of the program, in the box and with no more rights" {
	profile slow <<-"E"
		Command = /usr/bin/nice -n 5
		Environment = A=1
	E
	profile lost <<<'Command = /nonexistent -x'
	up wg1
	look='nice; echo $A; id -u; readlink /proc/self/ns/net; grep -E "^(CapEff|NoNewPrivs)" /proc/self/status; echo "$0,$*"'
	want="5
1
4801
net:[$(lab_run stat -Lc %i /run/wgns/box/physical/netns)]
CapEff:	0000000000000000
NoNewPrivs:	1
-n,a b"
	[ "$(alice --physical --profile slow sh -c "$look" -n 'a b')" = "$want" ]
	[ "$(root --physical --user alice --profile slow sh -c "$look" -n 'a b')" = "$want" ]
	run -127 alice --physical --profile lost true
	[ "$output" = 'wgns: exec: /nonexistent: No such file or directory' ]
}

@test "Deny denies these system calls, and nothing else" {
	file deny.profile <<-"E"
		[Filter]
		Deny = mkdir mkdirat @debug
		Deny = shmget
	E
	file namespaces.profile <<-"E"
		[Filter]
		Deny = unshare
	E
	up wg1
	for who in alice root; do
		[ "$(denied $who --physical inside calls)" = '' ]
		[ "$(denied $who --physical --profile deny inside calls)" = "$debug_calls shmget mkdir" ]
		[ "$(denied $who --physical --profile deny inside families)" = '' ]
		[ "$(denied $who --physical --profile deny inside clone)" = '' ]
		[ "$(denied $who --physical --profile namespaces inside clone)" = 'mnt cgroup uts ipc user pid net' ]
		# the C library takes clone then
		$who --physical --profile namespaces inside calls | grep -x 'clone3: Function not implemented'
	done
}

@test "Allow allows these system calls alone, and Deny wins over it" {
	file allow.profile <<-"E"
		[Filter]
		Allow = @base @files @process @network
		Allow = ptrace kcmp shmget setns ?not_even_here
		Deny = kcmp mkdir mkdirat
	E
	up wg1
	for who in alice root; do
		[ "$(denied $who --physical --profile allow inside calls)" = "mount umount2 unshare process_vm_readv kcmp pidfd_getfd \
perf_event_open keyctl add_key request_key io_uring_enter userfaultfd mkdir" ]
		[ "$(denied $who --physical --profile allow inside families)" = '' ]
	done
}

@test "Families says what a socket can be" {
	file some.profile <<-"E"
		[Filter]
		Families = unix netlink can
	E
	file none.profile <<-"E"
		[Filter]
		Families = none
	E
	up wg1
	for who in alice root; do
		[ "$(denied $who --physical inside families)" = '' ]
		[ "$(denied $who --physical --profile some inside families)" = 'inet inet6 packet bluetooth vsock alg' ]
		[ "$(denied $who --physical --profile none inside families)" = 'unix inet inet6 netlink packet bluetooth vsock alg can' ]
	done
	[ "$(denied root --user root --profile dhcp inside families 2>/dev/null)" = 'bluetooth vsock alg can' ]
	[ "$(denied root --user root --profile supplicant inside families 2>/dev/null)" = 'bluetooth vsock can' ]
	[ "$(root --user root --profile supplicant sed -n 's/^Cap[PE].*://p' /proc/self/status 2>/dev/null | xargs)" = \
		'0000000000003000 0000000000003000' ]
}

@test "a profile of /etc takes the place of the shipped one, and a list that of the shipped one in every profile" {
	profile strict <<<'Environment = FROM=/etc'
	echo 'socket bind' | file network.list
	file mine.profile <<-"E"
		[Filter]
		Allow = @base @files @process @network
	E
	up wg1
	look='echo $FROM; grep ^Seccomp: /proc/self/status'
	for who in alice root; do
		[ "$($who --physical --profile strict sh -c "$look")" = $'/etc\nSeccomp:\t0' ]
		run ! $who --physical --profile mine curl -sm 5 http://203.0.113.80/
		[ "$(denied $who --physical --profile mine inside families)" = '' ]
	done
	# with the shipped list it works
	lab_run rm $own/network.list
	root --physical --profile mine true
	[ "$(alice --physical --profile mine curl -sm 5 http://203.0.113.80/)" = 'the public web' ]
}

@test "a link to /dev/null takes a shipped profile away" {
	lab_run ln -s /dev/null $own/strict.profile
	run -0 up wg1
	# it is no mistake
	[[ $output != *strict* ]]
	run ! lab_run test -e /run/wgns/profile/strict.bpf
	for who in alice root; do
		refuses "wgns: exec: $own/strict.profile leads to /dev/null: it is taken away" $who --physical --profile strict
	done
}

@test "the profile default of /etc is used where none is named" {
	look='echo ${FROM-nowhere}'
	up wg1
	for who in alice root; do
		[ "$($who --physical sh -c "$look")" = nowhere ]
		[ "$($who --physical --profile default sh -c "$look")" = nowhere ]
	done
	profile default <<-"E"
		Box = physical
		Environment = FROM=/etc
	E
	for who in alice root; do
		[ "$($who --physical sh -c "$look")" = /etc ]
		[ "$($who --profile default sh -c "$look")" = /etc ]
		[ "$($who --physical --profile strict sh -c "$look" 2>/dev/null)" = nowhere ]
	done
	# what it takes away nobody has without asking for more
	file default.profile <<-"E"
		[Profile]
		SystemBus = no
		[Filter]
		Deny = @debug
	E
	refuses "wgns: exec: the profile default was not compiled when the box came up
  hint: root's next use compiles it: sudo wgns exec --profile default --in physical true" alice --physical
	root --physical true
	[ "$(denied alice --physical inside calls)" = "$debug_calls" ]
	profile default <<<'NoNewPrivs = no'
	refuses "wgns: exec: the profile default keeps privileges: only root can use it
  hint: sudo wgns exec --user root --profile default ..." alice --physical
	profile default <<<'NoNewPrivs = perhaps'
	for who in alice root; do
		refuses "$own/default.profile:2:14: NoNewPrivs is yes or no
wgns: exec: the profile default has 1 mistake" $who --physical
	done
}

@test "a profile or list that is changed after up is refused, until root's next use" {
	file mine.profile <<-"E"
		[Profile]
		SystemBus = no
		[Filter]
		Deny = @mine
	E
	echo ptrace | file mine.list
	up wg1
	[ "$(denied alice --physical --profile mine inside calls)" = ptrace ]
	changed="$own/mine.profile was changed after it was compiled"
	lab_run sh -c "echo Families = unix >>$own/mine.profile"
	stale mine "$changed"
	[ "$(denied alice --physical --profile mine inside families)" = 'inet inet6 netlink packet bluetooth vsock alg can' ]
	lab_run sh -c "echo kcmp >>$own/mine.list"
	stale mine "$changed"
	[ "$(denied alice --physical --profile mine inside calls)" = 'ptrace kcmp' ]
	# another file with the same name, older than all
	lab_run sh -c "grep -v Families $own/mine.profile >$own/new && touch -d 2001-01-01 $own/new && mv $own/new $own/mine.profile"
	stale mine "$changed"
	[ "$(denied alice --physical --profile mine inside families)" = '' ]
	# the same text in another file, and at another time, is the same profile
	lab_run sh -c "cp $own/mine.list $own/new && mv $own/new $own/mine.list && touch -d 2001-01-01 $own/mine.profile"
	[ "$(denied alice --physical --profile mine inside calls)" = 'ptrace kcmp' ]
	# a key that needs no helper takes effect at once
	profile plain <<<'Environment = A=1'
	[ "$(alice --physical --profile plain sh -c 'echo $A')" = 1 ]
	profile plain <<<'Environment = A=2'
	[ "$(alice --physical --profile plain sh -c 'echo $A')" = 2 ]
}

@test "a profile that comes after up is refused until root's next use, and one that goes is gone" {
	up wg1
	profile late <<<'SystemBus = no'
	stale late 'the profile late was not compiled when the box came up'
	lab_run rm $own/late.profile
	for who in alice root; do
		refuses "wgns: exec: there is no profile late: no late.profile in $own, $shipped
  hint: there are: browser, default, dhcp, shell, strict, supplicant" $who --physical --profile late
	done
}

@test "a profile over the shipped one that comes or goes after up is refused until root's next use" {
	up wg1
	changed() { echo "$1/strict.profile was changed after it was compiled"; }
	file strict.profile <<-"E"
		[Filter]
		Deny = kcmp
	E
	stale strict "$(changed $own)"
	[ "$(denied alice --physical --profile strict inside calls)" = kcmp ]
	lab_run rm $own/strict.profile
	stale strict "$(changed $shipped)"
	[[ $(denied alice --physical --profile strict inside calls) = 'mount umount2 '* ]]
}

@test "a list over the shipped one that comes or goes after up is refused until root's next use" {
	file mine.profile <<-"E"
		[Filter]
		Deny = @debug
	E
	up wg1
	changed="$own/mine.profile was changed after it was compiled"
	echo mkdir mkdirat | file debug.list
	stale mine "$changed"
	[ "$(denied alice --physical --profile mine inside calls)" = mkdir ]
	lab_run rm $own/debug.list
	stale mine "$changed"
	[ "$(denied alice --physical --profile mine inside calls)" = "$debug_calls" ]
}

@test "a list that goes is noticed also when another file is newer" {
	echo mkdir mkdirat | file debug.list
	file mine.profile <<-"E"
		[Filter]
		Deny = @debug
	E
	up wg1
	[ "$(denied alice --physical --profile mine inside calls)" = mkdir ]
	lab_run rm $own/debug.list
	stale mine "$own/mine.profile was changed after it was compiled"
	[ "$(denied alice --physical --profile mine inside calls)" = "$debug_calls" ]
}

@test "a profile that goes is noticed also when its lists are newer" {
	file strict.profile <<-"E"
		[Filter]
		Allow = @base @files @process @network @debug
	E
	# as when lists came with a new wgns
	lab_run sh -c "touch $shipped/*.list"
	up wg1
	[ "$(denied alice --physical --profile strict inside families)" = '' ]
	lab_run rm $own/strict.profile
	stale strict "$shipped/strict.profile was changed after it was compiled"
}

@test "what the hint says helps with the profile of a browser, too" {
	lab_run sh -c 'printf "#!/bin/sh\necho started\n" >/run/bin/chromium-browser && chmod 755 /run/bin/chromium-browser'
	up wg1
	lab_run sh -c "echo '# changed' >>$shipped/browser.profile"
	stale browser "$shipped/browser.profile was changed after it was compiled" chromium-browser
}

@test "up says what is wrong with a profile and goes on, and exec says it again" {
	file bad.profile <<-"E"
		[Profile]
		Box = a/b
		Boxx = physical
		[Filter]
		Allow = reed @wrong
	E
	echo 'no_such_call' | file wrong.list
	profile lost <<<'Group = nobody-has-this'
	file shut.profile <<-"E"
		[Filter]
		Allow = read write
	E
	profile good <<<'SystemBus = no'
	run -0 up wg1
	warning='wgns: up wg1: warning: profile '
	[[ $output = *"${warning}bad: $own/bad.profile:2:7: Box is the name of a box"* ]]
	[[ $output = *"${warning}lost: there is no group \"nobody-has-this\""* ]]
	[[ $output = *"${warning}shut: $own/shut.profile:2:9: without execve the program cannot be started"* ]]
	[[ $output != *'profile good'* ]]
	alice --physical --profile good true
	for who in alice root; do
		refuses "$own/bad.profile:2:7: Box is the name of a box
$own/bad.profile:3:1: unknown key; perhaps meant: Box
$own/bad.profile:5:9: unknown system call; perhaps meant: read
$own/wrong.list:1:1: unknown system call \`no_such_call'
$own/bad.profile:5:9: without execve the program cannot be started
wgns: exec: the profile bad has 5 mistakes" $who --physical --profile bad
	done
	refuses "wgns: exec: the profile lost is for group nobody-has-this, which does not exist
  hint: sudo groupadd --system nobody-has-this, then sudo wgns exec --profile lost --in physical true" alice --physical --profile lost
	lab_run sh -c 'echo nobody-has-this:x:4812:alice >>/etc/group'
	root --profile lost --in physical true
	alice --physical --profile lost true
}

@test "a profile or list that others could have written is refused, and up says so" {
	profile p <<<'SystemBus = no'
	file q.profile <<-"E"
		[Filter]
		Deny = @q
	E
	echo ptrace | file q.list
	lab_run chmod 664 $own/p.profile
	lab_run chown alice $own/q.list
	run -0 up wg1
	not_roots='grants rights and is not root'\''s alone:'
	[[ $output = *"warning: profile p: $own/p.profile $not_roots $own/p.profile is writable by its group"* ]]
	[[ $output = *"warning: profile q: $own/q.list $not_roots $own/q.list belongs to uid 4801, not to root"* ]]
	run ! lab_run sh -c 'ls /run/wgns/profile/p.bpf || ls /run/wgns/profile/q.bpf'
	# cannot NAME WHY
	cannot() {
		for who in alice root; do
			run -125 $who --physical --profile "$1" touch /run/open/ran
			[[ $output = *"wgns: exec: "*" $not_roots $2"*"hint: make the file and the folders above it root's, writable by root only"* ]]
			run ! lab_run test -e /run/open/ran
		done
	}
	cannot p "$own/p.profile is writable by its group"
	cannot q "$own/q.list belongs to uid 4801, not to root"
	lab_run chmod 646 $own/p.profile
	cannot p "$own/p.profile is writable by everyone"
	# whoever writes to a folder decides what is found there
	lab_run chmod 644 $own/p.profile
	lab_run chmod 777 $own
	cannot p "$own is writable by everyone"
	cannot strict "$own is writable by everyone"
	lab_run chmod 755 $own
	lab_run sh -c "mv $own/p.profile /run/open/ && ln -s /run/open/p.profile $own/"
	cannot p '/run/open/ is writable by everyone'
}

@test "strict has what command line programs need: names, web pages, ping, pipelines, jobs" {
	up wg1
	for who in 'alice' 'root --user root'; do
		strict() { $who --profile strict --physical "$@"; }
		[ "$(strict curl -sm 5 http://www.example.test/)" = 'the public web' ]
		[ "$(strict curl -sgm 5 'http://[2001:db8:80::80]/')" = 'the public web' ]
		[ "$(strict busybox wget -qO - http://203.0.113.80/cgi-bin/who)" = 192.0.2.10 ]
		strict ping -c 1 -w 5 192.0.2.1
		strict ping -c 1 -w 5 2001:db8:1::1
		[[ $(strict getent ahostsv4 www.example.test) = 203.0.113.80* ]]
		run -0 --separate-stderr strict bash -euc '
			seq 5 | sort -r | head -n 1
			diff <(echo same) <(echo same)
			wc -w <<<"three words more"
			timeout 5 id -un
			set -m; (exit 7) & wait $! || echo "job $?"
			trap "echo trapped" USR1; kill -USR1 $$
			cd "$(mktemp -d -p /run/open)"; echo text >a; mv a b; ln -s b c; cat c; rm b c
			find . -name nothing; exec ls -A'
		[ "$output" = "5
3
$(strict id -un)
job 7
trapped
text" ]
	done
}

@test "strict denies namespaces, mounts, keys, tracing and what else the lists lack" {
	up wg1
	for who in 'alice' 'root --user root'; do
		[ "$(denied $who --physical inside calls)" = '' ]
		[ "$(denied $who --physical --profile strict inside calls)" = "mount umount2 unshare setns $debug_calls \
keyctl add_key request_key io_uring_enter userfaultfd shmget" ]
		$who --physical --profile strict inside calls | grep -x 'clone3: Function not implemented'
		[ "$(denied $who --physical --profile strict inside clone)" = 'mnt cgroup uts ipc user pid net' ]
		[ "$(denied $who --physical --profile strict inside families)" = 'packet bluetooth vsock alg can' ]
	done
	# programs that do it
	for cmd in 'unshare -U true' 'unshare -Ur true' 'strace -o /dev/null true' 'nsenter --net=/proc/self/ns/net true'; do
		run ! alice --physical --profile strict $cmd
		[[ $output = *'Operation not permitted'* ]] || { echo "$cmd: $output"; false; }
	done
	alice --physical strace -o /dev/null true
	refuses 'wgns: exec: the profile strict does not offer --listen' alice --physical --profile strict --listen 8080
}

@test "under a filter nothing can be pushed into the terminal" {
	file other.profile <<-"E"
		[Filter]
		Deny = kcmp
	E
	up wg1
	on_terminal() { lab_as alice script -qec "wgns exec --physical $1 inside push" /dev/null | tr -d '\r'; }
	[ "$(denied on_terminal '')" = '' ]
	for name in strict other; do
		[ "$(denied on_terminal "--profile $name")" = 'TIOCSTI TIOCSTI and more TIOCLINUX' ]
	done
}

@test "a filter is that of the program's children, too" {
	up wg1
	for who in 'alice' 'root --user root'; do
		[ "$($who --physical grep '^Seccomp:' /proc/self/status)" = $'Seccomp:\t0' ]
		run -0 $who --physical --profile strict sh -c 'sh -c "setsid -w grep ^Seccomp /proc/self/status"'
		[ "$output" = $'Seccomp:\t2\nSeccomp_filters:\t2' ]
		[ "$(denied $who --physical --profile strict sh -c 'setsid -w sh -c "inside families"; :')" = 'packet bluetooth vsock alg can' ]
	done
}

@test "a DHCP client under the profile dhcp gets a lease, with three capabilities and a filter" {
	lab_down
	lab --bare
	lab_run install -m 755 /dev/stdin /run/bin/at-lease <<-"E"
		#!/bin/sh
		case $1 in
		deconfig) ip link set "$interface" up ;;
		bound)
			ip addr add "$ip/$mask" dev "$interface"
			ip route add default via "$router" dev "$interface"
			grep -E '^(Uid|Cap|NoNewPrivs|Seccomp:)' /proc/self/status >/run/open/status
			inside calls >/run/open/calls
			# root's files are root's, a user's are not
			touch /run/roots
			touch /run/user/4801/users 2>/run/open/failed
			;;
		esac
	E
	up --uplink eth0 wg1
	run -0 timeout 30 nsenter -t "$LAB_HOME" -m -n -p -r env -u SUDO_UID PATH="/run/bin:$PATH" wgns exec --user root --profile dhcp \
		--physical busybox udhcpc -i eth0 -n -q -f -s /run/bin/at-lease
	[[ $output = *'the program keeps privileges in physical: profile dhcp'*'obtained from 192.0.2.1'* ]]
	[ "$(lab_run cat /run/open/status)" = "$(printf 'Uid:\t0\t0\t0\t0\n'; printf '%s:\t0000000000003400\n' CapInh CapPrm CapEff CapBnd CapAmb
		printf 'NoNewPrivs:\t1\nSeccomp:\t2')" ]
	[ "$(denied lab_run cat /run/open/calls)" = "mount umount2 unshare setns $debug_calls \
keyctl add_key request_key io_uring_enter userfaultfd shmget" ]
	lab_run test -e /run/roots
	run ! lab_run test -e /run/user/4801/users
	[[ $(lab_run cat /run/open/failed) = *'Permission denied' ]]
	# it is an address of the uplink's network, and it works
	lab_run ip -n physical -j addr show eth0 | jq -e '.[0].addr_info[] | select(.local | test("^192\\.0\\.2\\.(2[0-9]|3[0-9]|4[0-9]|50)$"))'
	[ "$(alice --physical curl -sm 5 http://203.0.113.80/)" = 'the public web' ]
}

# stand_in NAME <<script: a browser that is one by its name alone
stand_in() { lab_run install -m 755 /dev/stdin "/run/bin/$1"; }
readonly fresh=/run/wgns/box/physical/fresh
readonly taken="it would open this there
  hint: close it, or use --profile browser, which starts a fresh one"

@test "a browser gets a profile folder of its own by its arguments" {
	stand_in chromium <<<'#!/bin/sh
		printf "%s\n" "$@" "${XRE_PROFILE_PATH-unset}"; ls -A /run/dbus'
	lab_run cp /run/bin/chromium /run/bin/firefox
	lab_run sh -c 'mkdir -p /run/dbus && touch /run/dbus/system_bus_socket'
	up wg1
	lab_run env -u SUDO_UID /run/bin/wgns exec --profile browser /run/bin/chromium
	for who in 'lab_as alice env' 'lab_run env -C / SUDO_UID=4801 SUDO_GID=4801'; do
		browser() { $who XRE_PROFILE_PATH=/x /run/bin/wgns exec --profile browser "$@"; }
		[ "$(browser /run/bin/chromium --incognito 'http://a/ b' -- -x)" = "--user-data-dir=$fresh
--no-first-run
--no-default-browser-check
--password-store=basic
--incognito
http://a/ b
--
-x
unset" ]
		[ "$(browser /run/bin/firefox http://a/)" = "--profile
$fresh
--new-instance
--no-remote
http://a/
unset" ]
		run -125 browser /run/bin/chromium --user-data-dir=/x
		[ "$output" = "wgns: exec: chromium would get a fresh profile, and --user-data-dir names another
  hint: leave one of the two away" ]
		run -0 --separate-stderr browser echo http://a/
		[ "$output" = http://a/ ]
		[ "$stderr" = 'wgns: warning: echo is no browser that wgns knows: it gets no profile of its own' ]
	done
	run -125 root --profile browser --home /run/bin/chromium
	[ "$output" = 'wgns: exec: the profile browser needs a box: home has none' ]
}

@test "a browser's profile is empty, the user's own, in memory, and goes with the last process" {
	# what it is told to do
	stand_in chromium <<<'#!/bin/sh
		cd /run/wgns/box/physical/fresh && eval "$DO"'
	lab_as alice mkfifo /run/user/4801/{ready,go}
	up wg1
	browser() { "${@:2}" /run/bin/wgns exec --profile browser -E "DO=$1" /run/bin/chromium; }
	look='stat -c "%a %u:%g %F" .; stat -fc %T .; ls -A; mkdir -m 755 "a folder"; echo seen >x; cat x'
	for _ in 1 2; do
		[ "$(browser "$look" lab_as alice)" = $'700 4801:4801 directory\ntmpfs\nseen' ]
		[ "$(browser "$look" lab_run env -C / SUDO_UID=4801 SUDO_GID=4801)" = $'700 4801:4801 directory\ntmpfs\nseen' ]
	done
	[ "$(browser "$look" lab_run env -u SUDO_UID)" = $'700 0:0 directory\ntmpfs\nseen' ]
	[[ $(browser 'grep " $PWD " /proc/self/mountinfo' lab_as alice) = *" $fresh rw,nosuid,nodev"*" tmpfs "* ]]
	# the first process ends, a child of it stays: so does the folder
	browser 'echo first >x; { readlink /proc/self/ns/mnt >../../../../user/4801/ready; read -r _ <../../../../user/4801/go
		cat x; ls -A; echo >../../../../user/4801/ready; } & exit 3' lab_as alice 3>&- >"$BATS_TEST_TMPDIR/first" &
	ns=$(lab_run cat /run/user/4801/ready)
	wait $! || [ $? = 3 ]
	lives() { lab_run sh -c 'readlink /proc/[0-9]*/ns/mnt' | grep -qxF "$ns"; }
	lives
	# two at once do not see each other, and nobody outside sees either
	[ "$(browser 'echo second >x; readlink /proc/self/ns/mnt; ls -A' lab_as alice)" != "$ns"$'\nx' ]
	for outside in lab_run 'alice --physical'; do
		run -0 $outside ls -A $fresh
		[ -z "$output" ]
	done
	lab_run sh -c 'echo >/run/user/4801/go; cat /run/user/4801/ready' >/dev/null
	[ "$(cat "$BATS_TEST_TMPDIR/first")" = $'first\nx' ]
	is_gone() { ! lives; }
	lab_wait is_gone
	[ -z "$(lab_run ls -A $fresh)" ]
}

@test "a browser that runs in home keeps another one from starting, but for the profile browser" {
	stand_in chromium <<<'#!/bin/sh
		echo "started $1"'
	up wg1
	# what a Chromium leaves for others to find
	lab_as alice sh -euc 'cd; mkdir -p .config/chromium socket; mkfifo never
		ln -s 12345 .config/chromium/SingletonCookie; ln -s 12345 socket/SingletonCookie
		ln -s "$HOME/socket/SingletonSocket" .config/chromium/'
	running() { # running CMD...: CMD starts it
		lab_run rm -f /run/user/4801/socket/SingletonSocket
		"$@" inside hold /run/user/4801/socket/SingletonSocket cat /run/user/4801/never >/dev/null 2>&1 3>&- &
		lab_wait lab_run pgrep -fx 'cat /run/user/4801/never'
		pid=$(lab_run pgrep -fx 'cat /run/user/4801/never')
	}
	running lab_as alice
	refuses "wgns: exec: chromium already runs outside of the box (pid $pid): $taken" alice --physical chromium
	refuses "wgns: exec: chromium already runs outside of the box (pid $pid): $taken" alice --physical --profile strict chromium
	refuses "wgns: exec: chromium already runs outside of the box (pid $pid): $taken" \
		lab_run env -C / SUDO_UID=4801 SUDO_GID=4801 HOME=/root /run/bin/wgns exec --physical /run/bin/chromium
	[[ $(alice --profile browser chromium) = 'started --user-data-dir='* ]]
	[ "$(alice --physical chromium --user-data-dir=/run/user/4801/another)" = 'started --user-data-dir=/run/user/4801/another' ]
	[ "$(alice --physical echo nothing of a browser)" = 'nothing of a browser' ]
	lab_run kill "$pid"
	[ "$(alice --physical chromium x)" = 'started x' ]
	# in the box itself it may take the new window over
	running alice --physical
	[ "$(alice --physical chromium x)" = 'started x' ]
}

@test "a Chromium in home is found, and one with the profile browser shows the uplink's side and leaves nothing" {
	command -v chromium >/dev/null || { [ -n "${WGNS_MUST_RUN:-}" ] || skip 'chromium is not installed'; }
	local options=(--headless --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update
		--disable-sync --disable-dev-shm-usage) home=/run/user/4801/home
	lab_run mount -t tmpfs -o mode=1777 tmp /tmp
	lab_as alice mkdir $home
	up wg1
	lab_as alice env HOME=$home TMPDIR=$home XDG_RUNTIME_DIR=$home chromium "${options[@]}" --user-data-dir=$home/data \
		--remote-debugging-port=0 about:blank </dev/null >/dev/null 2>&1 3>&- &
	lab_wait lab_run test -L $home/data/SingletonSocket
	run -125 alice --physical chromium "${options[@]}" --user-data-dir=$home/data http://203.0.113.80/
	[[ $output = "wgns: exec: chromium already runs outside of the box (pid "*"): $taken" ]]
	run -0 --separate-stderr lab_as alice timeout 60 wgns exec --profile browser chromium "${options[@]}" --dump-dom http://203.0.113.80/cgi-bin/who
	[[ $output = *192.0.2.10* ]]
	[ -z "$(lab_run ls -A $fresh)" ]
	# libraries have caches: GTK, fontconfig
	run -0 lab_run find /run/user/4801 /tmp -path $home -prune -o -name dconf -prune -o -name fontconfig -prune -o -type f -print
	[ -z "$output" ]
}

@test "a snap is refused, with the reason, where it could not start" {
	profile gain <<<'NoNewPrivs = no'
	stand_in firefox <<<'#!/bin/sh
		exec /snap/bin/firefox "$@"'
	up wg1
	why="wgns: exec: firefox is a snap: its set-user-ID start-up cannot work under no_new_privs
  hint: take another package of it: the distribution's own, or a flatpak"
	for who in alice root; do
		refuses "$why" $who --physical firefox
		refuses "$why" $who --profile browser firefox
	done
	run -127 root --physical --profile gain --user root firefox
	[[ $output != *'is a snap'* ]]
	[[ $output = *'/snap/bin/firefox'* ]]
}

@test "exec warns of a display that a browser could not reach, and of no other" {
	stand_in chromium <<<'#!/bin/sh
		echo started'
	lab_run mount -t tmpfs -o mode=1777 tmp /tmp
	lab_run mkdir -m 1777 /tmp/.X11-unix
	lab_as alice mkfifo /run/user/4801/never
	up wg1
	# says WARNING DISPLAY CMD...
	warns() {
		run -0 --separate-stderr lab_as alice env DISPLAY="$2" wgns exec "${@:3}"
		[ "$output" = started ]
		[ "$stderr" = "${1:+wgns: warning: $1}" ] || { echo "$stderr"; return 1; }
	}
	abstract='the X server of DISPLAY has no socket /tmp/.X11-unix/X7: an abstract one cannot be reached from a box'
	tcp='DISPLAY names an X server by TCP, as ssh -X does: it cannot be reached from a box'
	lab_as alice inside hold @/tmp/.X11-unix/X7 cat /run/user/4801/never >/dev/null 2>&1 3>&- &
	lab_wait lab_run grep -qF @/tmp/.X11-unix/X7 /proc/net/unix
	warns "$abstract" :7 --physical chromium
	warns "$abstract" unix:7.0 --profile browser chromium
	warns "$tcp" localhost:10.0 --physical chromium
	warns '' :7 --physical echo started
	warns '' '' --physical chromium
	lab_as alice inside hold /tmp/.X11-unix/X7 cat /run/user/4801/never >/dev/null 2>&1 3>&- &
	lab_wait lab_run test -S /tmp/.X11-unix/X7
	warns '' :7 --physical chromium
	warns '' :7.0 --profile browser chromium
}
