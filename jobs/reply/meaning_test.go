package reply_test

import (
	"strings"
	"testing"

	"rappel/jobs/reply"
)

func TestMeanings(t *testing.T) {
	t.Parallel()
	cases := map[reply.Meaning][]string{
		reply.OptOut: {
			"STOP", "stopall", "Unsubscribe", "END", "quit", "cancel", "REVOKE", "OptOut", "opt out",
			" stop ", "Stop.", "STOP!!!", "stop …", "stop .\n", "stop\u00a0", "OPT  OUT", "opt\nout.", "Cancel?",
			"STOP ALL", "stop  all.", "Opt-Out", "REMOVE", "ARRET", "Arrêt", "ARRÊT!", "alto", "BAJA", "Stopp", "abmelden",
		},
		reply.OptIn:   {"START", "unstop", " Start! ", "UNSTOP."},
		reply.Confirm: {"C", "c", "CONFIRM", "1", "1.", " c\r\n", "Confirm!", "C)", "Y", "yes", "Yes!", "SI", "sí", "SÍ.", "oui", "Ja", "ok", "OK."},
		reply.Help:    {"HELP", "help?", "Info", "aide", "AYUDA", "Hilfe!"},
		reply.Other: {
			"", " ", ".", "?!", "11", "2", "yes please", "okay", "confirmed", "no", "help me", "I confirm", "CC", "c u then", "1 2", "#1", "(1)",
			"please stop", "stop it", "stop stop", "STOP, thanks", "don't stop", "s.t.o.p", "opt", "remove me", "\"stop\"",
			"cancel my appointment", "START again", "restart", "стоп", "ＳＴＯＰ", "stop🙏", "s top", "st\u200bop",
			strings.Repeat("stop ", 1000),
		},
	}
	for want, texts := range cases {
		for _, text := range texts {
			if got := reply.MeaningOf(text); got != want {
				t.Errorf("%q is %s, want %s", text, got, want)
			}
		}
	}
}

func FuzzMeaningOf(f *testing.F) {
	for _, text := range []string{"STOP", "opt  out!", "c.", "Start ", "1", "see you", "", "\xff", "ſtop"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := reply.MeaningOf(text)
		for _, same := range []string{" " + text + " ", text + "!", strings.ToLower(text), text + " .\n"} {
			if again := reply.MeaningOf(same); again != got {
				t.Errorf("%q is %s, but %q is %s", text, got, same, again)
			}
		}
		letters := strings.ToLower(strings.Join(strings.Fields(text), ""))
		if got != reply.Other && len(letters) < len("c") {
			t.Errorf("%q, of no letters, is %s", text, got)
		}
		for word, means := range map[string]reply.Meaning{"stop": reply.OptOut, "start": reply.OptIn, "confirm": reply.Confirm} {
			if sentence := word + " " + text; got != reply.Other && reply.MeaningOf(sentence) == means {
				t.Errorf("%q is a sentence, and means %s", sentence, means)
			}
		}
	})
}
