package templates_test

import (
	"fmt"
	"sync"
	"testing"

	"rappel/templates"
)

func TestCacheKeepsWhatHasTheSameContent(t *testing.T) {
	t.Parallel()
	var c templates.Cache
	s := templates.Source{ID: "1", Channel: "email", Locale: "en", Subject: "s", Body: "b"}
	first := compile(t, &c, s)
	same := s
	same.ID, same.Version, same.Name, same.PracticeID, same.Audience = "2", 9, "n", "p", "client"
	if compile(t, &c, same) != first {
		t.Error("the same content was compiled twice")
	}
	for name, change := range map[string]func(*templates.Source){
		"the channel": func(s *templates.Source) { s.Channel = "sms" },
		"the locale":  func(s *templates.Source) { s.Locale = "fr" },
		"the subject": func(s *templates.Source) { s.Subject = "t" },
		"the body":    func(s *templates.Source) { s.Body = "c" },
	} {
		other := s
		change(&other)
		if compile(t, &c, other) == first {
			t.Errorf("%s makes no difference", name)
		}
	}
}

func compile(t *testing.T, c *templates.Cache, s templates.Source) *templates.Compiled {
	t.Helper()
	compiled, err := c.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func TestCacheRemembersMistakes(t *testing.T) {
	t.Parallel()
	var c templates.Cache
	_, first := c.Compile(templates.Source{Channel: "sms", Body: "[Nobody]"})
	_, second := c.Compile(templates.Source{Channel: "sms", Body: "[Nobody]"})
	if first == nil || fmt.Sprint(first) != fmt.Sprint(second) || mistakes(first)[0] != mistakes(second)[0] {
		t.Errorf("first %v, then %v", first, second)
	}
}

func TestCacheForgetsTheOldest(t *testing.T) {
	t.Parallel()
	c := templates.Cache{Limit: 2}
	a, b, d := sms("a"), sms("b"), sms("d")
	firstA, firstB := compile(t, &c, a), compile(t, &c, b)
	compile(t, &c, a) // now b is the older
	compile(t, &c, d)
	if compile(t, &c, a) != firstA {
		t.Error("forgot the one that was asked for last")
	}
	if compile(t, &c, b) == firstB {
		t.Error("holds more than its limit")
	}
}

func sms(body string) templates.Source { return templates.Source{Channel: "sms", Body: body} }

func TestCacheServesManyAtOnce(t *testing.T) {
	t.Parallel()
	c := templates.Cache{Limit: 3}
	v := visit(t).Values("en")
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for i := range 200 {
				body := fmt.Sprintf("%d [ClientName]", (n+i)%5)
				got, err := c.Compile(sms(body))
				if err != nil {
					t.Error(err)
					return
				}
				if m, err := got.Render(v); err != nil || m.Text != fmt.Sprintf("%d Mia Lee", (n+i)%5) {
					t.Errorf("%q reads %q, %v", body, m.Text, err)
				}
			}
		})
	}
	all.Wait()
}
