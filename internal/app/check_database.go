package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"rappel/internal/postgres"
	"rappel/internal/queue"
)

func (a *App) checkDatabase(ctx context.Context) verdict {
	server, err := a.store.Server(ctx)
	if err != nil {
		return failed(err)
	}
	return judgeServer(server)
}

func judgeServer(s postgres.Server) verdict {
	const oldest = 14
	answers := fmt.Sprintf("PostgreSQL %d.%d answers", s.Version/10_000, s.Version%10_000)
	v := verdict{fine: answers + ", over " + s.TLS}
	if s.Version/10_000 < oldest {
		v.wrong = append(v.wrong, fmt.Sprintf("PostgreSQL %d is too old: %d or newer is needed", s.Version/10_000, oldest))
	}
	switch {
	case s.TLS == "" && s.Local:
		v.fine = answers + ", on this machine"
	case s.TLS == "":
		v.doubtful = append(v.doubtful, answers+" without TLS: names, addresses and texts can be read on the way; add sslmode=verify-full to DATABASE_URL")
	case !s.Known && !s.Local:
		v.doubtful = append(v.doubtful, answers+", over "+s.TLS+", but nobody looks at its certificate: set sslmode=verify-full in DATABASE_URL")
	}
	return v
}

func (a *App) checkSchema(ctx context.Context) verdict {
	ahead, err := a.store.Ahead(ctx)
	if err != nil {
		return failed(err)
	}
	v := verdict{fine: "all migrations are applied"}
	if len(ahead) > 0 {
		v.doubtful = []string{fmt.Sprintf("a newer version of rappel took %d steps that this one does not know, up to %d: bring this one up to date too",
			len(ahead), ahead[len(ahead)-1])}
	}
	return v
}

func (a *App) checkPracticeSide(ctx context.Context) verdict {
	wrong, err := a.store.ContractBreaches(ctx)
	if err != nil {
		return failed(err)
	}
	return verdict{wrong: wrong, fine: "all tables and columns are as in the contract"}
}

func (a *App) checkRights(ctx context.Context) verdict {
	wrong, err := a.store.MissingRights(ctx)
	if err != nil {
		return failed(err)
	}
	return verdict{wrong: wrong, fine: "what there is of the practice side can be read, and of rappel's own tables written"}
}

// checkClock compares the clocks of those that answer; that the others do not is
// told by other checks.
func (a *App) checkClock(ctx context.Context) verdict {
	var v verdict
	agree := []string{"this machine"}
	for _, clock := range []struct {
		name, whose string
		read        func(context.Context) (time.Time, error)
	}{
		{"the database", "the database's", a.store.Now},
		{"Redis", "Redis's", func(ctx context.Context) (time.Time, error) { return queue.Now(ctx, a.redis) }},
	} {
		before := a.now()
		theirs, err := clock.read(ctx)
		if err != nil {
			continue
		}
		agree = append(agree, clock.name)
		v.compare(clock.whose, theirs.Sub(before.Add(a.now().Sub(before)/2)).Abs())
	}
	if len(agree) == 1 {
		return failed(errors.New("neither the database nor Redis tells the time"))
	}
	v.fine = strings.Join(agree, " and ") + " agree"
	return v
}

// compare notes how far another clock is from ours.
func (v *verdict) compare(whose string, apart time.Duration) {
	const doubtful, wrong = 2 * time.Second, 30 * time.Second
	line := fmt.Sprintf("%s clock and this machine's are %s apart: set both by NTP", whose, apart.Round(time.Millisecond))
	switch {
	case apart > wrong:
		v.wrong = append(v.wrong, line)
	case apart > doubtful:
		v.doubtful = append(v.doubtful, line)
	}
}
