package behaviour_test

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Seeds are words and numbers that stand nowhere but in what a story says of its
// people, so that whoever finds one knows where it comes from.
type seeds []string

// in returns the seeds that stand in s, however they are written: in another
// case, as part of a URL, of JSON, of HTML, of what Redis's MONITOR escapes, in
// base64, or, of a number, with other signs between its digits or without its
// country.
func (all seeds) in(s string) (found []string) {
	views := []string{strings.ToLower(s)}
	for _, unescape := range []func(string) string{
		func(s string) string { return escaped(s, `%([0-9a-fA-F]{2})`) },
		func(s string) string { return escaped(strings.ReplaceAll(s, "+", " "), `%([0-9a-fA-F]{2})`) },
		func(s string) string { return escaped(s, `\\u00([0-9a-fA-F]{2})`) },
		func(s string) string { return escaped(s, `\\x([0-9a-fA-F]{2})`) },
		html.UnescapeString,
	} {
		views = append(views, strings.ToLower(unescape(s)))
	}
	digits := regexp.MustCompile(`[ ().+-]|%20|%2b`).ReplaceAllString(views[0], "")
	for _, seed := range all {
		if slices.ContainsFunc(views, func(view string) bool { return strings.Contains(view, strings.ToLower(seed)) }) ||
			number(seed) && strings.Contains(digits, seed[len(seed)-10:]) ||
			slices.ContainsFunc(inBase64(seed), func(code string) bool { return strings.Contains(s, code) }) {
			found = append(found, seed)
		}
	}
	return found
}

func number(seed string) bool { return strings.HasPrefix(seed, "+1") }

// escaped undoes escapes of single bytes.
func escaped(s, pattern string) string {
	escape := regexp.MustCompile(pattern)
	return escape.ReplaceAllStringFunc(s, func(match string) string {
		b, err := strconv.ParseUint(escape.FindStringSubmatch(match)[1], 16, 8)
		if err != nil {
			return match
		}
		return string([]byte{byte(b)})
	})
}

// inBase64 is what of a seed stands in base64, wherever in the text it begins.
func inBase64(seed string) (all []string) {
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			code := encoding.EncodeToString([]byte(strings.Repeat("x", before) + seed))
			first := []int{0, 2, 3}[before]      // what the bytes before have a part in
			last := (before + len(seed)) / 3 * 4 // what the bytes after have a part in
			all = append(all, code[first:last])
		}
	}
	return all
}

func TestASeedIsFoundHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	all := seeds{"Zylphia O'Quorvex", "+12015550143", "zylphia@seed.example"}
	inJSON := func(s string) string {
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for name, c := range map[string]struct{ text, want string }{
		"plain":                          {"Hello Zylphia O'Quorvex.", all[0]},
		"in another case":                {"HELLO ZYLPHIA O'QUORVEX.", all[0]},
		"in the query of a URL":          {"?name=" + url.QueryEscape(all[0]) + "&a=b", all[0]},
		"in the path of a URL":           {"/names/" + url.PathEscape(all[0]), all[0]},
		"in HTML":                        {"<p>" + html.EscapeString(all[0]) + "</p>", all[0]},
		"in JSON that escapes it all":    {`"\u005aylphia O\u0027Quorvex"`, all[0]},
		"in what MONITOR shows":          {`"\x5aylphia O\x27Quorvex"`, all[0]},
		"in base64":                      {base64.StdEncoding.EncodeToString([]byte(all[0] + ", and more")), all[0]},
		"in base64 after one byte":       {base64.StdEncoding.EncodeToString([]byte("1" + all[0] + ", and more")), all[0]},
		"in base64 after two bytes":      {base64.URLEncoding.EncodeToString([]byte("12" + all[0] + "?")), all[0]},
		"an address in a log line":       {`to=zylphia@SEED.example`, all[2]},
		"an address in a URL":            {`to=zylphia%40seed.example`, all[2]},
		"an address in JSON":             {inJSON("<zylphia@seed.example>"), all[2]},
		"a number":                       {"to +12015550143", all[1]},
		"a number without its plus":      {"to 12015550143", all[1]},
		"a number without its country":   {"to 2015550143.", all[1]},
		"a number as people write it":    {"to (201) 555-0143", all[1]},
		"a number in a URL":              {"To=%2B12015550143", all[1]},
		"another number":                 {"to +12015550144", ""},
		"a part of a name":               {"Zylphia", ""},
		"an id with some of the digits":  {"20155501-4300-7000-8000-000000000000", all[1]}, // ids are random: it does not happen
		"an id without them":             {"2015550a-1430-7000-8000-000000000000", ""},
		"a masked address":               {"z…@seed.example", ""},
		"base64 of something else":       {base64.StdEncoding.EncodeToString([]byte("Zylphia")), ""},
		"a number with others around it": {"99 2015550143 99", all[1]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(all.in(c.text), ", "); got != c.want {
				t.Errorf("found %q in %s", got, c.text)
			}
		})
	}
}
