/* SPDX-License-Identifier: ISC */
#include "companion/target.h"

#include <stdlib.h>
#include <string.h>

static void read_writes(const struct draft *draft, struct target *ret) {
	for (enum policy_key key = KEY_WRITE; key <= KEY_TMP; key++)
		for (const struct setting *s = NULL; (s = policy_next(&draft->policy, key, s)) != NULL;) {
			ret->writes =
				output_memory(reallocarray(ret->writes, ret->who.write_count + 1, sizeof *ret->writes));
			ret->writes[ret->who.write_count++] = output_memory(strndup(s->value.at, s->value.length));
		}
	ret->who.is_limited = ret->who.write_count > 0;
	ret->who.writes = (const char *const *)ret->writes;
}

static char *list_groups(const struct image *image, const struct launch_plan *plan) {
	char *list = output_memory(strdup(plan->group_count == 0 ? "none" : ""));

	for (size_t i = 0; i < plan->group_count; i++) {
		char *name = image_group_name(image, plan->groups[i]), *longer;

		longer = name != NULL ? output_format("%s%s%s", list, i > 0 ? " " : "", name)
				      : output_format("%s%s%u", list, i > 0 ? " " : "", plan->groups[i]);
		free(name);
		free(list);
		list = longer;
	}
	return list;
}

bool target_read(const struct draft *draft, struct target *ret) {
	struct problem why = {0};
	uint64_t mask;

	*ret = (struct target){.plan = output_memory(calloc(1, sizeof *ret->plan))};
	if (!draft->is_valid || !draft->has_accounts) {
		output_fail("runas-policy check tells more", "%s: the policy does not say who the app is", draft->path);
		return false;
	}
	if (!plan_identity(&draft->policy, &draft->accounts, ret->plan, &why)) {
		char *about = output_escaped(why.about.at, why.about.length);

		output_fail(why.hint, "%s:%u: %s%s%s", draft->path, why.line, why.what, about[0] != '\0' ? " " : "",
			    about);
		free(about);
		return false;
	}
	ret->umask = text_umask(policy_value(&draft->policy, KEY_UMASK), &mask) ? (uint32_t)mask : 0027;
	ret->who = (struct access_who){.uid = ret->plan->uid.value,
				       .gid = ret->plan->gid.value,
				       .groups = ret->plan->groups,
				       .group_count = ret->plan->group_count};
	read_writes(draft, ret);
	ret->user = image_user_name(draft->image, ret->who.uid);
	if (ret->user == NULL)
		ret->user = output_format("%u", ret->who.uid);
	ret->group = image_group_name(draft->image, ret->who.gid);
	if (ret->group == NULL)
		ret->group = output_format("%u", ret->who.gid);
	ret->groups = list_groups(draft->image, ret->plan);
	ret->names = (struct access_names){.person = ret->user,
					   .policy_path = draft->path,
					   .policy_groups = ret->plan->group_count == 0 ? ret->group : ret->groups};
	return true;
}

void target_free(struct target *target) {
	for (size_t i = 0; i < target->who.write_count; i++)
		free(target->writes[i]);
	free(target->writes);
	free(target->user);
	free(target->group);
	free(target->groups);
	free(target->plan);
	*target = (struct target){0};
}

struct access_who target_of_person(const struct person *person) {
	return (struct access_who){.uid = person->uid,
				   .gid = person->gid,
				   .groups = person->groups,
				   .group_count = person->group_count,
				   .overrides = person->uid == 0};
}
