# SPDX-License-Identifier: GPL-2.0-or-later
# wgns: `make` builds wgns and wgns-exec into $(O); `make help` lists the targets.

O ?= build
CC ?= cc
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || cat .version 2>/dev/null || echo 0.1.0)
PKGS := libmnl libcap-ng libseccomp libsodium jansson
PROBE_PKGS := libcurl # wgns-portal's alone
PKG_CONFIG ?= pkg-config

DESTDIR ?=
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBEXECDIR ?= $(PREFIX)/libexec
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(PREFIX)/share/man
SYSCONFDIR ?= /etc
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
SYSTEMDUNITDIR ?= $(PREFIX)/lib/systemd/system
HELPER := $(LIBEXECDIR)/wgns/wgns-exec
HELPER_CAPABILITY := cap_sys_admin=ep

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(2)';)

# Warnings are errors for developers and in CI only: a tarball must build with tomorrow's compiler
DEV ?= $(WGNS_MUST_RUN)
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wvla -Wundef -Wpointer-arith -Wcast-qual -Wwrite-strings -Wconversion \
	-Wno-sign-conversion -Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference $(if $(DEV),-Werror)
probe = $(shell $(CC) -Werror $(1) -x c -c /dev/null -o /dev/null 2>/dev/null && printf '%s' '$(1)')
HARDEN := $(if $(SANITIZE),,-D_FORTIFY_SOURCE=3) $(foreach f,-fstack-protector-strong \
	-fstack-clash-protection -fcf-protection,$(call probe,$(f)))
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE $(WARN) $(HARDEN) -fPIE $(SANITIZE) $(CFLAGS)
override CPPFLAGS += -Iinclude $(if $(FAULTS),-DWGNS_FAULTS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now,-z,noexecstack $(SANITIZE) $(LDFLAGS)
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)
PKG_LIBS := $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null)
PROBE_LIBS := $(shell $(PKG_CONFIG) --libs $(PROBE_PKGS) 2>/dev/null)
COMPILE = $(CC) $(ALL_CFLAGS) $(CPPFLAGS) $(PKG_CFLAGS)

LIB_SRC := $(sort $(wildcard src/*/*.c))
CMD_SRC := $(filter-out cmd/wgns-exec.c cmd/wgns-portal.c,$(sort $(wildcard cmd/*.c)))
LIB_OBJ := $(LIB_SRC:%.c=$(O)/%.o)
CMD_OBJ := $(CMD_SRC:%.c=$(O)/%.o)
# the helper links libc and nothing else
EXEC_SRC := cmd/wgns-exec.c cmd/enter.c src/sys/seal.c src/sys/caps.c src/sys/compiled.c
EXEC_OBJ := $(EXEC_SRC:%.c=$(O)/%.o)
# a folder's programs: one per file
programs = $(patsubst %.c,$(O)/%,$(sort $(wildcard $(1))))
UNIT := $(call programs,tests/unit/test_*.c)
PLATFORM := $(call programs,tests/platform/*.c)
FUZZ := $(call programs,tests/fuzz/fuzz_*.c)
BENCH := $(addprefix $(O)/tests/bench/,floor runner arrival)
PROFILES := $(sort $(wildcard profiles/*.profile profiles/*.list))
AGENTS := $(sort $(wildcard scripts/agents/*))
UNITS := scripts/wgns-guard.service scripts/wgns@.service
MAN := $(sort $(wildcard man/*.[1-9]))

all: $(O)/wgns $(O)/wgns-exec $(O)/wgns-portal $(PROFILES:%=$(O)/%) $(AGENTS:scripts/%=$(O)/%) ## build wgns and its helper (the default)

$(O)/wgns: $(CMD_OBJ) $(O)/libwgns.a
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -Wl,--as-needed -o $@ $^ $(PKG_LIBS)

$(O)/wgns-portal: $(O)/cmd/wgns-portal.o $(O)/libwgns.a
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -Wl,--as-needed -o $@ $^ $(PKG_LIBS) $(PROBE_LIBS)

# Linked statically no loader runs with the helper's capability; where there is no static C library it is linked as usual
HELPER_LINK := $(if $(SANITIZE),-pie,$(shell echo 'int main(void) { return 0; }' | \
	$(CC) -static-pie -x c -o /dev/null - 2>/dev/null && echo -static-pie || echo -pie))
$(O)/wgns-exec: $(EXEC_OBJ)
	$(call say,LINK,$@)$(CC) $(filter-out -pie,$(ALL_LDFLAGS)) $(HELPER_LINK) -o $@ $^

$(O)/libwgns.a: $(LIB_OBJ)
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $^

# wgns in a build folder finds them beside itself
$(O)/profiles/%: profiles/%
	@install -D -m 644 $< $@

$(O)/agents/%: scripts/agents/%
	@install -D -m $(if $(findstring script,$*),755,644) $< $@

$(O)/%.o: %.c $(O)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(COMPILE) $(DEFINE) -MMD -MP -c -o $@ $<

# What only one file needs to know rebuilds only that file
$(O)/cmd/wgns.o: DEFINE = -DWGNS_VERSION='"$(VERSION)"'
$(O)/cmd/wgns.o: $(O)/version
$(O)/cmd/installed.o: DEFINE = -DWGNS_LIBEXECDIR='"$(LIBEXECDIR)/wgns"' -DWGNS_DATADIR='"$(DATADIR)/wgns"'
$(O)/cmd/installed.o: $(O)/installdirs

# Files that change when what they stand for does: other flags compile anew
stamp = @mkdir -p $(@D); echo '$(subst ','\'',$(1))' | cmp -s - $@ || echo '$(subst ','\'',$(1))' >$@
$(O)/flags: FORCE
	@$(PKG_CONFIG) --exists $(PKGS) $(PROBE_PKGS) && command -v $(firstword $(CC)) >/dev/null || \
		{ echo 'wgns needs a C compiler, pkg-config and $(PKGS) $(PROBE_PKGS): scripts/bootstrap build installs them' >&2; exit 1; }
	$(call stamp,$(COMPILE) $(ALL_LDFLAGS) $(HELPER_LINK) $(PKG_LIBS) $(PROBE_LIBS))
$(O)/version: FORCE
	$(call stamp,$(VERSION))
$(O)/installdirs: FORCE
	$(call stamp,$(LIBEXECDIR) $(DATADIR))

LINK_TEST = $(COMPILE) -MMD -MP $(ALL_LDFLAGS) -Wl,--as-needed -o $@ $< $(filter %.o,$^) $(O)/libwgns.a $(PKG_LIBS)
# what status prints is made in cmd/ and tested without printing
$(O)/tests/unit/test_status: $(addprefix $(O)/cmd/,status_view.o status_text.o status_picture.o status_json.o)
$(filter $(O)/tests/unit/test_browser%,$(UNIT)): $(filter $(O)/cmd/browser%,$(CMD_OBJ))
$(O)/tests/unit/test_listen: $(O)/cmd/listen.o
$(O)/tests/unit/test_ssh: $(O)/cmd/ssh.o
$(O)/tests/unit/%: tests/unit/%.c $(O)/libwgns.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(LINK_TEST) -lcmocka
$(O)/tests/platform/%: tests/platform/%.c $(O)/libwgns.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(LINK_TEST)
$(O)/tests/bench/floor: $(O)/tests/bench/floor_wg.o
$(O)/tests/bench/%: tests/bench/%.c $(O)/libwgns.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(LINK_TEST)
$(O)/tests/faults/%: tests/faults/%.c $(O)/libwgns.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(LINK_TEST)
$(O)/tests/fuzz/%: tests/fuzz/%.c $(O)/libwgns.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)$(LINK_TEST) -fsanitize=fuzzer

install: all ## install below DESTDIR PREFIX BINDIR ...; without DESTDIR, as root: setcap and group, too
	install -d $(DESTDIR)$(BINDIR) $(dir $(DESTDIR)$(HELPER))
	install -d -m 755 $(DESTDIR)$(SYSCONFDIR)/wgns $(DESTDIR)$(DATADIR)/wgns/profiles
	install -m 755 $(O)/wgns $(DESTDIR)$(BINDIR)/wgns
	install -m 755 $(O)/wgns-exec $(DESTDIR)$(HELPER)
	install -m 755 $(O)/wgns-portal $(dir $(DESTDIR)$(HELPER))wgns-portal
	$(if $(PROFILES),install -m 644 $(PROFILES) $(DESTDIR)$(DATADIR)/wgns/profiles)
	install -d -m 755 $(DESTDIR)$(LIBEXECDIR)/wgns/agents
	install -m 644 $(AGENTS) $(DESTDIR)$(LIBEXECDIR)/wgns/agents
	chmod 755 $(DESTDIR)$(LIBEXECDIR)/wgns/agents/udhcpc-script
	$(foreach m,$(MAN),install -D -m 644 $(m) $(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(m)))/$(notdir $(m)) &&) :
	install -D -m 644 scripts/wgns.sysusers $(DESTDIR)$(SYSUSERSDIR)/wgns.conf
	install -d $(DESTDIR)$(SYSTEMDUNITDIR)
	$(foreach u,$(UNITS),sed 's,@BINDIR@,$(BINDIR),g' '$(u)' >'$(DESTDIR)$(SYSTEMDUNITDIR)/$(notdir $(u))' && \
		chmod 644 '$(DESTDIR)$(SYSTEMDUNITDIR)/$(notdir $(u))' &&) :
ifneq ($(DESTDIR),)
	@echo 'the package has to give the helper its capability after unpacking (setcap $(HELPER_CAPABILITY) $(HELPER),'
	@echo 'or make setcap), and to make the group wgns (sysusers.d/wgns.conf, or groupadd --system wgns)'
else ifeq ($(shell id -u),0)
	+$(MAKE) --no-print-directory setcap group
	@echo 'to let USER start programs in a box without sudo: usermod -aG wgns USER'
else
	@echo 'exec needs more for others than root: make setcap group, as root, and usermod -aG wgns USER'
endif

setcap: ## give the installed helper its capability, cap_sys_admin, as root; `make install` does it
	scripts/give-capability $(HELPER_CAPABILITY) $(HELPER) $(DESTDIR)
group: ## make the group wgns, whose members may enter a box, as root; `make install` does it
	getent group wgns >/dev/null || PATH=$$PATH:/usr/sbin:/sbin groupadd --system wgns

uninstall: ## remove what install put there; configuration and the group stay
	rm -f $(DESTDIR)$(BINDIR)/wgns $(DESTDIR)$(HELPER) $(dir $(DESTDIR)$(HELPER))wgns-portal $(DESTDIR)$(SYSUSERSDIR)/wgns.conf
	rm -f $(foreach u,$(UNITS),'$(DESTDIR)$(SYSTEMDUNITDIR)/$(notdir $(u))')
	rm -f $(DESTDIR)$(DATADIR)/wgns/profiles/*.profile $(DESTDIR)$(DATADIR)/wgns/profiles/*.list
	rm -rf $(DESTDIR)$(LIBEXECDIR)/wgns/agents
	rmdir $(dir $(DESTDIR)$(HELPER)) $(DESTDIR)$(DATADIR)/wgns/profiles $(DESTDIR)$(DATADIR)/wgns \
		$(DESTDIR)$(SYSCONFDIR)/wgns 2>/dev/null || :
	$(foreach m,$(MAN),rm -f $(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(m)))/$(notdir $(m)) &&) :

demo: ## watch the main job on a small internet of namespaces; as root; installs what it needs
	$(Q)scripts/bootstrap demo
	$(Q)$(MAKE) --no-print-directory all
	$(Q)WGNS='$(abspath $(O))/wgns' scripts/demo

# Tests. Each tier prints TAP when it is called alone; scripts/check has them all.
# T= a file below tests/bats or a regular expression of test names; FUZZ_TIME= seconds for each target
FUZZ_TIME ?= $(if $(WGNS_MUST_RUN),15,5)
export O CC T FUZZ_TIME
compile = COMPILE='$(subst ','\'',$(COMPILE))'
tcb = $(compile) HELPER=$(O)/wgns-exec EXEC_SRC='$(EXEC_SRC)' EXEC_OBJ='$(EXEC_OBJ)' GIVEN=$(HELPER_CAPABILITY) INSTALLED=$(HELPER)
run = $(Q)+$(tcb) MAKE='$(MAKE)' scripts/check
TIERS := unit headers layers lint tcb platform bats coverage vm fuzz asan

check: ## everything: installs what the tests need (as root), then every tier and the sum
	$(Q)scripts/bootstrap check
	$(Q)+$(MAKE) --no-print-directory check-run
check-run: all faulty $(UNIT) $(PLATFORM)
	$(run) $(TIERS)
check-quick: all $(UNIT) ## unit tests and style, in seconds, without root
	$(run) unit headers layers lint tcb
check-unit: $(UNIT) ## unit tests
	$(run) unit
check-platform: $(PLATFORM) ## programs that assert the kernel behaviour that wgns relies on
	$(run) platform
check-bats: all faulty ## the program in a lab of namespaces; T=up.bats or T='a name' filters; as root
	$(run) bats
check-vm: all faulty $(UNIT) $(PLATFORM) ## the same on Debian's kernels 6.1 and 6.12 in emulated machines: kernel WireGuard
	$(run) vm-always
check-headers: ## every header compiles alone
	$(run) headers
check-layers: ## every module includes only lower layers
	$(run) layers
lint: ## clang-format, cppcheck, shellcheck, mandoc, codespell, layers
	$(run) lint layers
tcb: $(O)/wgns-exec ## what has to be trusted in the helper: its lines, symbols, libraries; fails when it grows
	$(Q)$(tcb) scripts/tcb
coverage: all ## which lines of the helper the tests run, by gcovr; as root
	$(Q)+MAKE='$(MAKE)' WGNS='$(abspath $(O))/wgns' scripts/coverage
asan: ## unit tests and bats with AddressSanitizer and UndefinedBehaviorSanitizer
	$(run) asan
fuzz-smoke: ## each libFuzzer target for FUZZ_TIME seconds
	$(run) fuzz
bench: all $(BENCH) ## compare up, down and exec with other ways to do the same; as root
	$(Q)WGNS='$(abspath $(O))/wgns' O='$(abspath $(O))' scripts/bench
check-faults: all faulty ## every fault at every step, every denial, 500 random kills, with their figures; hours; as root
	$(Q)WGNS='$(abspath $(O))/wgns' WGNS_FAULTY='$(abspath $(O))/faults/wgns' O='$(abspath $(O))' tests/faults/all
measure-watch: all $(BENCH) ## what `wgns watch` takes: memory, wake-ups, how long a new card is in home; as root
	$(Q)WGNS='$(abspath $(O))/wgns' scripts/measure-watch
clean-root-check: ## build, demo and check in a fresh Debian root (debootstrap); as root
	$(Q)scripts/clean-root-check

# a program that fails on purpose, see src/op/fault.c; WGNS_FAULTY names it in tests
faulty: $(O)/tests/faults/deny
	$(Q)+$(MAKE) --no-print-directory O=$(O)/faults FAULTS=1 $(O)/faults/wgns \
		$(PROFILES:%=$(O)/faults/%) $(AGENTS:scripts/%=$(O)/faults/%)
unit-programs: $(UNIT)
fuzzers: $(FUZZ)

clean: ## remove what was built
	rm -rf $(O)

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

.PHONY: all install setcap group uninstall demo check check-run check-quick check-unit check-platform check-bats check-vm \
	check-headers check-layers check-faults lint tcb coverage asan fuzz-smoke bench measure-watch clean-root-check faulty \
	unit-programs fuzzers clean help FORCE
.DELETE_ON_ERROR:
-include $(wildcard $(O)/*/*.d $(O)/*/*/*.d)
