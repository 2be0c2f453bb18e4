package pages

import (
	"fmt"
	"html/template"
)

// functions are what the templates may call. A template gives its numbers as
// they come.
func functions() template.FuncMap {
	return template.FuncMap{
		"number": func(n any) (string, error) { return counted(n, func(n int64) string { return number(n) }) },
		"plural": func(n any, what string) (string, error) {
			return counted(n, func(n int64) string { return plural(n, what) })
		},
		"short":  short,
		"reveal": reveal,
	}
}

func counted(n any, write func(int64) string) (string, error) {
	switch n := n.(type) {
	case int:
		return write(int64(n)), nil
	case int64:
		return write(n), nil
	}
	return "", fmt.Errorf("%T is no count", n)
}

// A revealer is the button that shows what is masked, or hides it again.
type revealer struct {
	Shown  bool
	Action string
	Fields []choice // by name
}

// reveal takes the fields that go with it as names and values.
func reveal(shown bool, action string, fields ...string) revealer {
	r := revealer{Shown: shown, Action: action}
	for i := 0; i+1 < len(fields); i += 2 {
		r.Fields = append(r.Fields, choice{Value: fields[i], Words: fields[i+1]})
	}
	return r
}
