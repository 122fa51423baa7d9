// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "wgns/key.h"

static int run(int argc, char **argv)
{
	char text[KEY_BASE64_LEN + 1];
	struct key key;
	struct stat st;

	(void)argv;
	if (argc != 1)
		return cmd_usage(&cmd_genkey, "no argument is expected");
	if (fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IRWXO))
		cmd_warn("writing to a world accessible file; consider umask 077 and try again");

	int rc = key_generate(&key);
	if (rc < 0) {
		struct err e;
		(void)err_set(&e, -rc, "read random bytes"); /* its code is -rc */
		return cmd_fail(&e, "genkey");
	}
	key_format(&key, text);
	key_wipe(&key);
	/* without a buffer of stdio that would keep a copy */
	setvbuf(stdout, NULL, _IONBF, 0);
	printf("%s\n", text);
	explicit_bzero(text, sizeof(text));
	return cmd_flush(EXIT_DONE);
}

const struct cmd cmd_genkey = {
	.name = "genkey",
	.usage = "",
	.summary = "print a new private key",
	.help = "The same as wg genkey. Keep it from others:\n"
		"  umask 077; wgns genkey > private.key\n",
	.run = run,
};
