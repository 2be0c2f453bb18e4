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

// walk visits the program and every command that people call, each with the
// words that lead to it.
func walk(n *kong.Node, path []string, visit func(path []string, command *kong.Node, within []*kong.Node)) {
	within := slices.DeleteFunc(slices.Clone(n.Children), func(c *kong.Node) bool { return c.Hidden })
	visit(path, n, within)
	for _, c := range within {
		walk(c, append(slices.Clone(path), c.Name), visit)
	}
}

// after is a shell's pattern of what was written before a word that follows a
// path: no more than that, where another command is to follow.
func after(path []string, within []*kong.Node) string {
	written := "'" + strings.Join(path, " ") + " '"
	if len(within) == 0 {
		written += "*"
	}
	return written
}

func bash(w io.Writer, app *kong.Application) error {
	var cases strings.Builder
	walk(app.Node, nil, func(path []string, command *kong.Node, within []*kong.Node) {
		var all []string
		for _, c := range within {
			all = append(all, c.Name)
		}
		flags, arguments := follows(command)
		all = append(all, arguments...)
		for _, f := range flags {
			all = append(all, "--"+f.Name)
		}
		fmt.Fprintf(&cases, "\t%s) words='%s' ;;\n", after(path, within), strings.Join(all, " "))
	})
	_, err := fmt.Fprintf(w, `# bash completion of rappel
_rappel() {
	local words='' current=${COMP_WORDS[COMP_CWORD]} before="${COMP_WORDS[*]:1:COMP_CWORD-1} "
	case $before in
%s	esac
	COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _rappel rappel
`, cases.String())
	return err
}

func zsh(w io.Writer, app *kong.Application) error {
	inQuotes := strings.NewReplacer(`'`, `'\''`, `:`, `\:`, `[`, `\[`, `]`, `\]`)
	var cases strings.Builder
	walk(app.Node, nil, func(path []string, command *kong.Node, within []*kong.Node) {
		fmt.Fprintf(&cases, "\t%s)", after(path, within))
		if len(within) > 0 {
			cases.WriteString("\n\t\tcommands=(\n")
			for _, c := range within {
				fmt.Fprintf(&cases, "\t\t\t'%s:%s'\n", c.Name, inQuotes.Replace(c.Help))
			}
			cases.WriteString("\t\t)\n\t\t_describe command commands ;;\n")
			return
		}
		flags, arguments := follows(command)
		cases.WriteString(" _arguments")
		for _, f := range flags {
			name, value := f.Name, ""
			if !f.IsBool() {
				name, value = name+"=", ":value:("+strings.Join(options(f), " ")+")"
			}
			fmt.Fprintf(&cases, " '--%s[%s]%s'", name, inQuotes.Replace(f.Help), value)
		}
		if len(arguments) > 0 {
			fmt.Fprintf(&cases, " '%d:word:(%s)'", len(path)+1, strings.Join(arguments, " "))
		}
		cases.WriteString(" ;;\n")
	})
	_, err := fmt.Fprintf(w, `#compdef rappel
_rappel() {
	local -a commands
	local before="${words[2,CURRENT-1]} "
	case $before in
%s	esac
}
_rappel "$@"
`, cases.String())
	return err
}

func fish(w io.Writer, app *kong.Application) error {
	inQuotes := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	var lines []string
	walk(app.Node, nil, func(path []string, command *kong.Node, within []*kong.Node) {
		add := func(test, format string, args ...any) {
			when := strings.Join(append([]string{test}, path...), " ")
			lines = append(lines, fmt.Sprintf("complete -c rappel -n '%s' ", when)+fmt.Sprintf(format, args...))
		}
		for _, c := range within {
			add("__rappel_is", "-a %s -d '%s'", c.Name, inQuotes.Replace(c.Help))
		}
		if len(within) > 0 {
			return
		}
		flags, arguments := follows(command)
		for _, f := range flags {
			value := ""
			if !f.IsBool() {
				value = " -x -a '" + strings.Join(options(f), " ") + "'"
			}
			add("__rappel_begins", "-l %s%s -d '%s'", f.Name, value, inQuotes.Replace(f.Help))
		}
		if len(arguments) > 0 {
			add("__rappel_begins", "-a '%s'", strings.Join(arguments, " "))
		}
	})
	_, err := fmt.Fprintf(w, `# fish completion of rappel
function __rappel_is
	set -l before (commandline -opc)
	set -e before[1]
	test "$before" = "$argv"
end
function __rappel_begins
	set -l before (commandline -opc)
	set -e before[1]
	string match -q -- "$argv *" "$before "
end
complete -c rappel -f
%s
`, strings.Join(lines, "\n"))
	return err
}

// options are the words that a flag's value may be; none: anything.
func options(f *kong.Flag) []string {
	return slices.DeleteFunc(f.EnumSlice(), func(s string) bool { return s == "" })
}
