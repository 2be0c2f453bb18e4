package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help is the rest of what --help shows.
func (completionCommand) Help() string {
	return `Once, when rappel is installed or brought up to date: what it prints is for the shell to read.

Examples:
  source <(rappel completion bash)                                        in ~/.bashrc
  rappel completion zsh >"${fpath[1]}/_rappel"
  rappel completion fish >~/.config/fish/completions/rappel.fish` + ending("the work failed", "nothing")
}

func (c completionCommand) Run(e *env, app *kong.Application) error {
	shells := map[string]func(io.Writer, *kong.Application) error{"bash": bash, "zsh": zsh, "fish": fish}
	return shells[c.Shell](e.stdout, app)
}

// follows is what may follow a command: its flags, and where it takes one of
// several words, those.
func follows(command *kong.Node) (flags []*kong.Flag, arguments []string) {
	for _, group := range command.AllFlags(true) {
		flags = append(flags, group...)
	}
	for _, p := range command.Positional {
		if p.Enum != "" {
			arguments = append(arguments, p.EnumSlice()...)
		}
	}
	return flags, arguments
}

func bash(w io.Writer, app *kong.Application) error {
	var names, cases strings.Builder
	for _, command := range app.Children {
		flags, all := follows(command)
		for _, f := range flags {
			all = append(all, "--"+f.Name)
		}
		fmt.Fprintf(&names, " %s", command.Name)
		fmt.Fprintf(&cases, "\t%s) words='%s' ;;\n", command.Name, strings.Join(all, " "))
	}
	_, err := fmt.Fprintf(w, `# bash completion of rappel
_rappel() {
	local words current=${COMP_WORDS[COMP_CWORD]}
	case ${COMP_WORDS[1]} in
%s	*) words='' ;;
	esac
	if ((COMP_CWORD == 1)); then
		words='%s --help --version'
	fi
	COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _rappel rappel
`, cases.String(), strings.TrimSpace(names.String()))
	return err
}

func zsh(w io.Writer, app *kong.Application) error {
	inQuotes := strings.NewReplacer(`'`, `'\''`, `:`, `\:`, `[`, `\[`, `]`, `\]`)
	var names, cases strings.Builder
	for _, command := range app.Children {
		fmt.Fprintf(&names, "\t\t'%s:%s'\n", command.Name, inQuotes.Replace(command.Help))
		flags, arguments := follows(command)
		fmt.Fprintf(&cases, "\t%s) _arguments", command.Name)
		for _, f := range flags {
			name, value := f.Name, ""
			if !f.IsBool() {
				name, value = name+"=", ":value:("+strings.Join(options(f), " ")+")"
			}
			fmt.Fprintf(&cases, " '--%s[%s]%s'", name, inQuotes.Replace(f.Help), value)
		}
		if len(arguments) > 0 {
			fmt.Fprintf(&cases, " '2:word:(%s)'", strings.Join(arguments, " "))
		}
		cases.WriteString(" ;;\n")
	}
	_, err := fmt.Fprintf(w, `#compdef rappel
_rappel() {
	local -a commands=(
%s	)
	if ((CURRENT == 2)); then
		_describe command commands
		return
	fi
	case $words[2] in
%s	esac
}
_rappel "$@"
`, names.String(), cases.String())
	return err
}

func fish(w io.Writer, app *kong.Application) error {
	inQuotes := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	lines := []string{"# fish completion of rappel", "complete -c rappel -f"}
	add := func(when, format string, args ...any) {
		lines = append(lines, fmt.Sprintf("complete -c rappel -n '%s' ", when)+fmt.Sprintf(format, args...))
	}
	for _, command := range app.Children {
		add("__fish_use_subcommand", "-a %s -d '%s'", command.Name, inQuotes.Replace(command.Help))
		after := "__fish_seen_subcommand_from " + command.Name
		flags, arguments := follows(command)
		for _, f := range flags {
			value := ""
			if !f.IsBool() {
				value = " -x -a '" + strings.Join(options(f), " ") + "'"
			}
			add(after, "-l %s%s -d '%s'", f.Name, value, inQuotes.Replace(f.Help))
		}
		if len(arguments) > 0 {
			add(after, "-a '%s'", strings.Join(arguments, " "))
		}
	}
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}

// options are the words that a flag's value may be; none: anything.
func options(f *kong.Flag) []string {
	return slices.DeleteFunc(f.EnumSlice(), func(s string) bool { return s == "" })
}
