#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# in the VM: none
# check, strip, genkey and pubkey; and whether they agree with wg(8) and wg-quick(8)
# shellcheck disable=SC2016 # $1 belongs to the inner bash, and %b has its own escapes

bats_require_minimum_version 1.5.0

KEY=AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=
PEER=AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=

setup() {
	wgns=${WGNS:-$BATS_TEST_DIRNAME/../../build/wgns}
	cd "$BATS_TEST_TMPDIR" || return
	umask 077
}

# need PROGRAM...: skip without them, fail when nothing may be skipped
need() {
	local program
	for program; do
		command -v "$program" >/dev/null && continue
		[ "${WGNS_MUST_RUN:-}" != 1 ] || { echo "$program is missing"; return 1; }
		skip "$program is missing"
	done
}

need_root() {
	[ "$(id -u)" != 0 ] || return 0
	[ "${WGNS_MUST_RUN:-}" != 1 ] || { echo "not root"; return 1; }
	skip "not root"
}

# conf TEXT: ./wg0.conf with TEXT, in which \n and the like are expanded
conf() {
	printf '%b' "$1" >wg0.conf
}

good="[Interface]\nPrivateKey = $KEY\nAddress = 10.0.0.2/24, fd00::2/64\nDNS = 10.0.0.1\n"
good+="[Peer]\nPublicKey = $PEER\nAllowedIPs = 0.0.0.0/0\nEndpoint = 192.0.2.1:51820\n"

@test "check says in one line what a good file has" {
	conf "$good"
	run -0 --separate-stderr "$wgns" check ./wg0.conf
	[ "$output" = "./wg0.conf: OK: 1 peer, 2 addresses, DNS 10.0.0.1" ]
	[ -z "$stderr" ]
}

@test "check lists every problem of a file with its place and exits 1" {
	conf "[Interface]\nPrivateKey = ${KEY%=}\n  Adress = 10.0.0.2\nMTU = 0\n[Peer]\nDNS = 1.1.1.1\n"
	run -1 --separate-stderr "$wgns" check ./wg0.conf
	[ "${#lines[@]}" = 5 ]
	[[ ${lines[0]} == "./wg0.conf:2:14: PrivateKey: 43 characters"* ]]
	[[ ${lines[1]} == "./wg0.conf:3:3: "*"Address is meant?" ]]
	[[ ${lines[2]} == "./wg0.conf:4:7: MTU: "* ]]
	[[ ${lines[3]} == "./wg0.conf:5:1: this [Peer] has no PublicKey" ]]
	[[ ${lines[4]} == "./wg0.conf:6:1: DNS belongs in [Interface], not in [Peer]" ]]
	[ -z "$stderr" ]
}

@test "check exits 0 when there are only warnings" {
	conf "$good"
	chmod 640 wg0.conf
	chmod 750 .
	run -0 "$wgns" check ./wg0.conf
	[ "$output" = "./wg0.conf: warning: the file is group-readable and may hold keys: chmod go= makes it private" ]
}

@test "check changes nothing" {
	conf "$good"
	touch -d 2001-01-01 wg0.conf
	before=$(stat -c '%y %z %s %a' wg0.conf; md5sum wg0.conf; ls -A)
	"$wgns" check ./wg0.conf
	[ "$before" = "$(stat -c '%y %z %s %a' wg0.conf; md5sum wg0.conf; ls -A)" ]
}

@test "check explains what is no file" {
	mkdir dir.conf
	mkfifo fifo.conf
	ln -s loop.conf loop.conf
	run -1 --separate-stderr "$wgns" check ./dir.conf
	[ "$stderr" = "wgns: check: ./dir.conf is a folder, not a file" ]
	run -1 --separate-stderr "$wgns" check ./fifo.conf
	[ "$stderr" = "wgns: check: ./fifo.conf is a FIFO, not a file" ]
	run -1 --separate-stderr "$wgns" check ./loop.conf
	[ "$stderr" = "wgns: check: open ./loop.conf: Too many levels of symbolic links" ]
	run -1 --separate-stderr "$wgns" check ./missing.conf
	[ "${stderr%%$'\n'*}" = "wgns: check: open ./missing.conf: No such file or directory" ]
}

@test "check explains the rule that a name breaks" {
	run -1 --separate-stderr "$wgns" check ./abcdefghijklmnop.conf
	[[ $stderr == *"has 16 characters, at most 15 are allowed" ]]
	run -1 --separate-stderr "$wgns" check ..
	[[ $stderr == *"the kernel takes no interface called \`..'" ]]
	run -1 --separate-stderr "$wgns" check wg0.conf
	[[ $stderr == *"open /etc/wireguard/wg0.conf.conf: No such file"*"hint: "* ]]
}

@test "check without exactly one file is a usage error" {
	run -2 "$wgns" check
	run -2 "$wgns" check a b
	run -2 "$wgns" check --all
	run -2 "$wgns" strip
	run -2 "$wgns" genkey x
	run -2 "$wgns" pubkey x
}

@test "check takes a line of ten megabytes and ten thousand peers" {
	{
		printf '[Interface]\nPrivateKey = %s\nPostUp = ' "$KEY"
		head -c 10000000 /dev/zero | tr '\0' x
		printf '\n'
		for ((i = 0; i < 10000; i++)); do
			printf '[Peer]\nPublicKey = AQEB%05dQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n' "$i"
			printf 'AllowedIPs = 10.%d.%d.0/24\n' $((i >> 8)) $((i & 255))
		done
	} >wg0.conf
	run -0 "$wgns" check ./wg0.conf
	[ "${#lines[@]}" -le 1 ]
}

@test "check takes any bytes for a file and stays alive" {
	local binary
	for binary in "$wgns" "$BASH"; do
		cp "$binary" wg0.conf
		run -1 "$wgns" check ./wg0.conf
		[[ $output == "./wg0.conf:"* ]]
	done
}

@test "genkey makes a key that wg accepts" {
	need wg
	key=$("$wgns" genkey)
	[ "${#key}" = 44 ]
	wg pubkey <<<"$key"
	[ "$key" != "$("$wgns" genkey)" ]
}

@test "genkey warns of a world-readable file as wg does" {
	umask 022
	run -0 --separate-stderr bash -c '"$1" genkey >key' - "$wgns"
	[[ $stderr == "wgns: warning: writing to a world accessible file"* ]]
	umask 077
	run -0 --separate-stderr bash -c '"$1" genkey >key2' - "$wgns"
	[ -z "$stderr" ]
}

@test "pubkey agrees with wg for random keys" {
	need wg
	for ((i = 0; i < 20; i++)); do
		key=$(wg genkey)
		cmp <(wg pubkey <<<"$key") <("$wgns" pubkey <<<"$key")
		# not clamped
		key=$(head -c 32 /dev/urandom | base64 -w 0)
		cmp <(wg pubkey <<<"$key") <("$wgns" pubkey <<<"$key")
	done
}

@test "pubkey refuses what wg refuses, in the same words" {
	need wg
	for input in '' "${KEY%=}" "$KEY" "$KEY\n \t\r\n" "$KEY\0\0" "$KEY\nx" "${KEY}x" \
		"${KEY%A=}B=" "$KEY=" "-QIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=" "\n$KEY"; do
		theirs=0 ours=0
		printf '%b' "$input" | wg pubkey >theirs.out 2>theirs.err || theirs=$?
		printf '%b' "$input" | "$wgns" pubkey >ours.out 2>ours.err || ours=$?
		echo "$input: $theirs $ours"
		[ "$theirs" = "$ours" ]
		cmp theirs.out ours.out
		[ "$(sed 's/^[a-z]*: //' theirs.err)" = "$(sed 's/^wgns: pubkey: //' ours.err)" ]
	done
}

@test "an answer that cannot be written is an error" {
	conf "$good"
	run -1 bash -c '"$1" strip ./wg0.conf >/dev/full' - "$wgns"
	run -1 bash -c '"$1" genkey >/dev/full' - "$wgns"
	run -1 bash -c '"$1" check ./wg0.conf >/dev/full' - "$wgns"
}

@test "strip agrees with wg-quick byte for byte" {
	need wg-quick
	need_root
	local i=0
	for text in '' '\n' ' \t' '[Interface]' "$good" "${good//\\n/\\r\\n}" \
		'[Interface]\nAddress = x # y\nPrivateKey = k # z\n\n#c\n' \
		' [Interface] # x\n  Listen Port = 1  \n\tMTU=1\n' \
		'[ Interface ]\nAddress = 1\n' '[interface]\nADDRESS = 1\nFoo\n' \
		'[Interface]\n[Peer]\nAddress = 1\n[Interface]\nAddress = 1\n' \
		'[Interface]=1\nAddress = 1\n' '[Interface\nAddress = 1\n' \
		'Address = 1\n[Interface]\nMTU\nDNS\nTable\nPreUp\nAddress\n' \
		'[Interface]\nPostUp = a # b\n#PostUp = c\nPostUpx = d\n' \
		'[Interface]\nSaveConfig = TRUE\nPrivateKey = a\\nb\n' \
		'\xef\xbb\xbf[Interface]\nAddress = 1\n' '[Inter\0face]\nAdd\0ress = 1\nx\0y\n' \
		'[Interface]\n-n\n' '[Interface]\n\vAddress = 1\v\nx\v\n' \
		'[Interface]\n Address\xa0 = 1\n\x01\x7f\n' 'x\n \t' 'x\n\n\n'; do
		conf "$text"
		wg-quick strip ./wg0.conf >theirs 2>/dev/null
		"$wgns" strip ./wg0.conf >ours 2>/dev/null
		echo "case $((i++)): $text"
		cmp theirs ours
	done
}

@test "strip refuses a SaveConfig that wg-quick refuses" {
	need wg-quick
	need_root
	conf '[Interface]\nSaveConfig = yes\n'
	run -1 wg-quick strip ./wg0.conf
	run -1 --separate-stderr "$wgns" strip ./wg0.conf
	[ -z "$output" ]
	[ "$stderr" = "./wg0.conf:2:14: SaveConfig is true or false" ]
}

# what wg makes of it: it reads the whole file before it looks for the device
wg_accepts() {
	wg-quick strip ./wg0.conf 2>/dev/null >stripped
	WG_ENDPOINT_RESOLUTION_RETRIES=0 wg setconf nosuchdevice stripped 2>errors || true
	if grep -q 'Configuration parsing error' errors; then
		return 1
	fi
	grep -q 'Unable to' errors
}

@test "check accepts and refuses what wg accepts and refuses" {
	need wg wg-quick
	need_root
	local i=0 if="[Interface]\nPrivateKey=$KEY\n" theirs ours
	local peer="${if}[Peer]\nPublicKey=$PEER\n"
	for text in '' '\n#x' "$if" "$if$if" "${if%\\n}" "[interFACE]\nPRIVATEKEY=$KEY" \
		"[Inter face]\nPrivate Key = $KEY\n" "PrivateKey=$KEY\n" "[Interface]\nPrivateKey=\n" \
		"[Interface]\nPrivateKey=${KEY%=}\n" "[Interface]\nPrivateKey=${KEY%A=}B=\n" \
		"[Interface]\nPrivateKey $KEY\n" "[Interface\n" "[Interface] x\n" "[Foo]\n" \
		'[ Interface ]\nAddress=10.0.0.1\n' '\xef\xbb\xbf[Interface]\nMTU=1400\n' \
		"${if}ListenPort=0\n" "${if}ListenPort=domain\n" "${if}ListenPort=-1\n" \
		"${if}ListenPort=0x10\n" "${if}ListenPort=5 3\n" "${if}ListenPort=+5\n" \
		"${if}FwMark=off\n" "${if}FwMark=oFF\n" "${if}FwMark=0xff\n" "${if}FwMark=0Xff\n" \
		"${if}FwMark=0x\n" "${if}FwMark=0xfg\n" "${if}FwMark=4294967295\n" "${if}FwMark=4294967296\n" \
		"${if}FwMark=0x1ffffffff\n" "${if}FwMark=-1\n" "${if}FwMark=010\n" "${if}Jc=1\n" \
		"${if}Foo=1\n" "${if}; x\n" "${if}Endpoint=1.2.3.4:5\n" "${if}[Peer]\n" "$peer" "$peer$peer" \
		"${peer}PresharedKey=$KEY\n" "${peer}PresharedKey=\n" "${peer}PrivateKey=$KEY\n" \
		"${peer}DNS=1.1.1.1\n" "${peer}AllowedIPs=\n" "${peer}AllowedIPs=0.0.0.0/0,::/0\n" \
		"${peer}AllowedIPs=10.0.0.1/8\n" "${peer}AllowedIPs=10.0.0.0/8,\n" \
		"${peer}AllowedIPs=,10.0.0.0/8\n" "${peer}AllowedIPs=10.0.0.0/33\n" \
		"${peer}AllowedIPs=::/129\n" "${peer}AllowedIPs=10.0.0.0/255.0.0.0\n" \
		"${peer}AllowedIPs=0/0\n" "${peer}AllowedIPs=fe80::1%lo\n" "${peer}AllowedIPs=1.2.3.4/08\n" \
		"${peer}AllowedIPs=1.2.3.4/+8\n" "${peer}AllowedIPs=1.2.3.4/\n" \
		"${peer}AllowedIPs=1 0.0.0.0 / 8 , ::\n" "${peer}Endpoint=1.2.3.4:5\n" \
		"${peer}Endpoint=1.2.3.4\n" "${peer}Endpoint=1.2.3.4:\n" "${peer}Endpoint=:5\n" \
		"${peer}Endpoint=[]:5\n" "${peer}Endpoint=[::1]:5\n" "${peer}Endpoint=[::1]\n" \
		"${peer}Endpoint=[::1:5\n" "${peer}Endpoint=[::1]5\n" "${peer}Endpoint=[1.2.3.4]:5\n" \
		"${peer}Endpoint=fe80::1:5\n" "${peer}Endpoint=1.2.3.4:0\n" "${peer}Endpoint=1.2.3.4:domain\n" \
		"${peer}Endpoint=1.2.3.4:nosuchservice\n" "${peer}Endpoint=127.1:5\n" \
		"${peer}PersistentKeepalive=0\n" "${peer}PersistentKeepalive=off\n" \
		"${peer}PersistentKeepalive=65535\n" "${peer}PersistentKeepalive=65536\n" \
		"${peer}PersistentKeepalive=0x10\n" "${peer}PersistentKeepalive=\n" "${peer}# x\n${if}"; do
		conf "$text"
		theirs=no ours=no
		wg_accepts && theirs=yes
		"$wgns" check ./wg0.conf >answer && ours=yes
		echo "case $((i++)): wg: $theirs, wgns: $ours: $text"
		[ "$theirs" = "$ours" ]
	done
}
