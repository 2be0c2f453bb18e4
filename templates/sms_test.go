package templates_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rappel/templates"
)

func TestMeasure(t *testing.T) {
	t.Parallel()
	a, x, smile := func(n int) string { return strings.Repeat("a", n) }, func(n int) string { return strings.Repeat("я", n) }, "😀"
	gsm := func(units, segments int) templates.Size {
		return templates.Size{Encoding: "gsm7", Units: units, Segments: segments}
	}
	ucs := func(units, segments int, forces string) templates.Size {
		return templates.Size{Encoding: "ucs2", Units: units, Segments: segments, Forces: []rune(forces)}
	}
	tests := map[string]struct {
		text string
		want templates.Size
	}{
		"no text is no message":                           {"", gsm(0, 0)},
		"160 go alone":                                    {a(160), gsm(160, 1)},
		"161 take two":                                    {a(161), gsm(161, 2)},
		"2·153 fill two":                                  {a(306), gsm(306, 2)},
		"one more takes a third":                          {a(307), gsm(307, 3)},
		"3·153 fill three":                                {a(459), gsm(459, 3)},
		"one more takes a fourth":                         {a(460), gsm(460, 4)},
		"letters of the alphabet count one":               {"@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ ¤¡ÄÖÑÜ§¿äöñüà", gsm(45, 1)},
		"the signs between blank and question mark too":   {` !"#$%&'()*+,-./0123456789:;<=>?`, gsm(32, 1)},
		"the extension counts two":                        {"^{}\\[~]|€\f", gsm(20, 1)},
		"80 of the extension go alone":                    {strings.Repeat("€", 80), gsm(160, 1)},
		"a two-unit character does not fit in the last":   {a(159) + "€", gsm(161, 2)},
		"nor is it split at the end of the first":         {a(152) + "€" + a(152), gsm(306, 3)},
		"one place earlier it fits":                       {a(151) + "€" + a(153), gsm(306, 2)},
		"76 of the extension fill one of several":         {strings.Repeat("€", 152), gsm(304, 2)},
		"and 77 of each do not":                           {strings.Repeat("€", 153), gsm(306, 3)},
		"a character of neither forces ucs2":              {"août", ucs(4, 1, "û")},
		"each is named once, in order":                    {"ça, Zoë, ça — là", ucs(16, 1, "çë—")},
		"a small ç is not in the alphabet":                {"ç", ucs(1, 1, "ç")},
		"nor is a grave accent alone":                     {"`", ucs(1, 1, "`")},
		"nor a tab":                                       {"\t", ucs(1, 1, "\t")},
		"nor the escape itself":                           {"\x1b", ucs(1, 1, "\x1b")},
		"nor the narrow blank of CLDR":                    {"3:00\u202fPM", ucs(7, 1, "\u202f")},
		"70 go alone":                                     {x(70), ucs(70, 1, "я")},
		"71 take two":                                     {x(71), ucs(71, 2, "я")},
		"2·67 fill two":                                   {x(134), ucs(134, 2, "я")},
		"one more takes a third in ucs2":                  {x(135), ucs(135, 3, "я")},
		"an emoji counts two":                             {smile, ucs(2, 1, smile)},
		"35 emoji go alone":                               {strings.Repeat(smile, 35), ucs(70, 1, smile)},
		"36 take two":                                     {strings.Repeat(smile, 36), ucs(72, 2, smile)},
		"an emoji is not split at the end of the first":   {x(66) + smile + x(66), ucs(134, 3, "я"+smile)},
		"one place earlier the emoji fits":                {x(65) + smile + x(67), ucs(134, 2, "я"+smile)},
		"the extension counts one as soon as ucs2 is due": {"€я", ucs(2, 1, "я")},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(tt.want, templates.Measure(tt.text)); d != "" {
				t.Errorf("Measure(%q) (-want +got):\n%s", tt.text, d)
			}
		})
	}
}
