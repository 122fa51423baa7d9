/* SPDX-License-Identifier: GPL-2.0-or-later */
/* installed - where the parts of wgns are: beside this program in a build folder, else where `make install` puts them */
#ifndef WGNS_INSTALLED_H
#define WGNS_INSTALLED_H

#include <limits.h>

/**
 * installed_helper - wgns-exec
 *
 * The one beside this program counts only when root alone can put something there.
 */
void installed_helper(char out[PATH_MAX]);

/** installed_scripts - the folder of what agents call; see scripts/agents */
void installed_scripts(char out[PATH_MAX]);
/** installed_probe - wgns-portal, as installed_helper() */
void installed_probe(char out[PATH_MAX]);

/** installed_profiles - the folders of profiles, the first one wins: /etc/wgns/profiles, then those that came with wgns */
#define INSTALLED_PROFILE_DIRS 2
#define INSTALLED_OWN_PROFILES "/etc/wgns/profiles" /* the first of them */
void installed_profiles(char shipped[PATH_MAX], const char *dirs[INSTALLED_PROFILE_DIRS]);

#endif
