package templates

import (
	"net/url"
	"strings"
)

// address is the link that begins at the offset. It goes on to the next blank
// in the template's own words, whatever values stand in between; but a value
// that would be part of a host makes words of it.
func (s *sheet) address(at, end int) piece {
	var href strings.Builder
	p := piece{name: named}
	whole, i := true, at
	for i < end {
		if v, ok := s.next(i); ok {
			value := s.text[i:v.end]
			if i == at {
				p.name, value = v.name, webLink(value)
			} else {
				whole = whole && takesValue(href.String())
				value = queryEscape(value)
			}
			href.WriteString(value)
			i = v.end
			continue
		}
		own, last := s.ownPart(i, end)
		href.WriteString(own)
		i += len(own)
		if last {
			break
		}
	}
	p.text = s.text[at:i]
	if whole {
		p.href = webLink(href.String())
	}
	return p
}

// next takes the value that stands at the offset, if there is one.
func (s *sheet) next(at int) (span, bool) {
	if len(s.spans) == 0 || s.spans[0].start != at {
		return span{}, false
	}
	v := s.spans[0]
	s.spans = s.spans[1:]
	return v, true
}

// ownPart is what an address has of the template's own words from the offset
// on, up to the next value, and whether the address ends with it.
func (s *sheet) ownPart(at, end int) (own string, last bool) {
	stop := s.stretch(at, end)
	own = s.text[at:stop]
	n := strings.IndexAny(own, " <>\"\u00a0\u202f")
	if n >= 0 {
		own = own[:n]
	}
	if n >= 0 || stop == end {
		return withoutStop(own), true
	}
	return own, false
}

// takesValue tells whether a value may go on an address: behind its host, and
// not amid an escape.
func takesValue(address string) bool {
	_, rest, _ := strings.Cut(address, "://")
	return strings.ContainsAny(rest, "/?#") && !strings.Contains(rest[max(0, len(rest)-2):], "%")
}

// withoutStop is an address without the punctuation of the sentence it ends.
func withoutStop(s string) string {
	for {
		short := strings.TrimRight(s, ".,;:!?'")
		if !strings.Contains(short, "(") {
			short = strings.TrimRight(short, ")")
		}
		if short == s {
			return s
		}
		s = short
	}
}

// addressIn is the offset of the first http or https address in the words of a
// template, or -1.
func addressIn(s string) int {
	for i := range len(s) {
		if (i == 0 || !isAlphanumeric(rune(s[i-1]))) && beginsAddress(s[i:]) {
			return i
		}
	}
	return -1
}

func beginsAddress(s string) bool {
	for _, scheme := range []string{"https://", "http://"} {
		n := len(scheme)
		if len(s) >= n && strings.EqualFold(s[:n], scheme) {
			return true
		}
	}
	return false
}

func isAlphanumeric(r rune) bool {
	return '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}

func queryEscape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
