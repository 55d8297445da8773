# SPDX-License-Identifier: ISC
# bash completion for runas-policy and runas-app. Verbs and options come from runas-policy itself, so that they are those of
# the program that is installed; apps and commands from the policies, as far as they can be read.

_runas_app_policies() { # the directory; another one with --root DIR
	local i
	for ((i = 1; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == --root ]]; then
			printf '%s' "${COMP_WORDS[i + 1]%/}/etc/runas-app"
			return
		fi
	done
	printf '%s' "${_runas_app_directory:-/etc/runas-app}"
}

_runas_app_names() { # SUFFIX [SUBDIRECTORY]: conf or profile
	local file directory
	directory=$(_runas_app_policies)${2:+/$2}
	for file in "$directory"/*."$1"; do
		file=${file##*/}
		file=${file%."$1"}
		[[ $file =~ ^[a-z][a-z0-9_-]{0,30}$ ]] && printf '%s\n' "$file"
	done
}

_runas_app_reply() { # the words of standard input that begin with $1; a word is a line
	local word
	COMPREPLY=()
	while IFS= read -r word; do
		[[ -n $word && $word == "$1"* ]] && COMPREPLY+=("$(printf '%q' "$word")")
	done
}

_runas_app_fits() { # TOKEN of a pattern, WORD that was typed
	local token=$1 word=$2 choice
	case $token in
	"$word" | '{int}' | '{word}' | '{path:'*) return 0 ;;
	'{'*'}')
		token=${token#?}
		token=${token%?}
		while IFS= read -r -d '|' choice; do
			[[ $choice == "$word" ]] && return 0
		done <<<"$token|"
		;;
	*'{'*) return 0 ;;
	esac
	return 1
}

# What may stand next behind the words of a command: a line each. Holes have no words of their own.
_runas_app_next() { # POLICY-FILE [WORD...]
	local file=$1 line i first tokens
	shift
	[[ -r $file ]] || return
	while IFS= read -r line; do
		[[ $line =~ ^[[:blank:]]*(command|serve)[[:blank:]]*=[[:blank:]]*(.*)$ ]] || continue
		read -r -a tokens <<<"${BASH_REMATCH[2]}"
		first=${tokens[0]-}
		[[ $first == /* ]] || continue
		if [[ $# -eq 0 ]]; then
			printf '%s\n' "${first##*/}" "$first"
			continue
		fi
		[[ $1 == "$first" || $1 == "${first##*/}" ]] || continue
		for ((i = 1; i < $#; i++)); do
			_runas_app_fits "${tokens[i]-}" "${@:i + 1:1}" || continue 2
		done
		case ${tokens[$#]-} in
		'' | '*' | '{int}' | '{word}' | \"*) ;;
		'{path:'*'}') line=${tokens[$#]#'{path:'} && printf '%s\n' "${line%\}}" ;;
		'{'*'}') line=${tokens[$#]#\{} && tr '|' '\n' <<<"${line%\}}" ;;
		*'{'*) ;;
		*) printf '%s\n' "${tokens[$#]}" ;;
		esac
	done <"$file" | sort -u
}

_runas_app_command() { # APP, INDEX of the command's first word
	local cur=${COMP_WORDS[COMP_CWORD]} file
	if [[ $1 == */* || $1 == *.* ]]; then
		file=$1
	else
		file=$(_runas_app_policies)/$1.conf
	fi
	_runas_app_reply "$cur" < <(_runas_app_next "$file" "${COMP_WORDS[@]:$2:COMP_CWORD-$2}")
	[[ ${#COMPREPLY[@]} -gt 0 ]] || compopt -o default 2>/dev/null
}

_runas_app() {
	local cur=${COMP_WORDS[COMP_CWORD]} first=2
	COMPREPLY=()
	if [[ $COMP_CWORD -eq 1 ]]; then
		_runas_app_reply "$cur" < <(_runas_app_names conf && [[ $cur == -* ]] && printf '%s\n' --help --version)
		return
	fi
	[[ ${COMP_WORDS[2]} == -- && $COMP_CWORD -gt 2 ]] && first=3
	_runas_app_command "${COMP_WORDS[1]}" "$first"
	[[ $COMP_CWORD -eq 2 && -- == "$cur"* ]] && COMPREPLY+=(--)
}

_runas_policy_options() { # VERB: those of its usage and its list of options
	runas-policy "$1" --help 2>/dev/null | awk '
	/^$/ { usage_is_over = 1 }
	!usage_is_over || /^  --/ {
		line = usage_is_over ? $1 : $0
		while (match(line, /--[a-z][a-z-]*/)) {
			print substr(line, RSTART, RLENGTH)
			line = substr(line, RSTART + RLENGTH)
		}
	}
	END { print "--help" }' | sort -u
}

_runas_policy() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]} app='' arguments=0 i
	COMPREPLY=()
	if [[ $COMP_CWORD -eq 1 ]]; then
		_runas_app_reply "$cur" < <(
			runas-policy --help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\)  *.*/\1/p'
			[[ $cur == -* ]] && printf '%s\n' --help --version
		)
		return
	fi
	case $prev in
	--root | --dir | --directory | --output)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	--as | --user | --caller | --nginx-user)
		mapfile -t COMPREPLY < <(compgen -u -- "$cur")
		return
		;;
	--group)
		mapfile -t COMPREPLY < <(compgen -g -- "$cur")
		return
		;;
	--template)
		_runas_app_reply "$cur" < <(printf '%s\n' passenger gunicorn puma php-fpm container)
		return
		;;
	--app)
		_runas_app_reply "$cur" < <(_runas_app_names conf)
		return
		;;
	--launcher | --seconds | --as-app)
		compopt -o default 2>/dev/null
		return
		;;
	esac
	for ((i = 2; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--)
			_runas_app_command "$app" $((i + 1))
			return
			;;
		--root | --dir | --directory | --output | --as | --user | --caller | --nginx-user | --group | --template | --app | \
			--launcher | --seconds | --as-app) i=$((i + 1)) ;;
		-*) ;;
		*)
			arguments=$((arguments + 1))
			[[ $arguments -eq 1 ]] && app=${COMP_WORDS[i]}
			;;
		esac
	done
	if [[ $cur == -* ]]; then
		_runas_app_reply "$cur" < <(_runas_policy_options "$verb")
		return
	fi
	case $verb in
	compile) _runas_app_reply "$cur" < <(_runas_app_names profile profiles) ;;
	list | new) ;;
	install | import-sudoers) compopt -o default 2>/dev/null ;;
	why)
		case $arguments in
		0) _runas_app_reply "$cur" < <(_runas_app_names conf) ;;
		1) ;;
		*) _runas_app_reply "$cur" < <(printf '%s\n' read write execute enter connect delete) ;;
		esac
		[[ ${#COMPREPLY[@]} -gt 0 ]] || compopt -o default 2>/dev/null
		;;
	*)
		[[ $arguments -eq 0 || $verb == check ]] && _runas_app_reply "$cur" < <(_runas_app_names conf)
		[[ ${#COMPREPLY[@]} -gt 0 ]] || compopt -o default 2>/dev/null
		;;
	esac
}

complete -F _runas_policy runas-policy
complete -F _runas_app runas-app
