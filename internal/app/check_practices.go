package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

func (a *App) checkPractices(ctx context.Context) verdict {
	doubtful, err := a.store.DoubtfulPractices(ctx)
	if err != nil {
		return failed(err)
	}
	stray, err := a.store.StrayLinks(ctx)
	if err != nil {
		stray = []string{err.Error()} // it may take long where there are millions, and is no failure
	}
	return verdict{
		doubtful: append(doubtful, stray...),
		fine:     "every practice's settings mean what they say, and nobody is linked to another practice's people",
	}
}

// checkRows reads every column of the source tables, as far as rules may still be
// about it.
func (a *App) checkRows(ctx context.Context) verdict {
	bad, err := a.store.UnreadableRows(ctx)
	if err != nil {
		return failed(err)
	}
	unknown, err := a.store.UnknownWords(ctx)
	switch {
	case err != nil && len(bad) == 0:
		return failed(err)
	case err != nil:
		unknown = nil // the same rows are to blame
	}
	return verdict{wrong: bad, doubtful: unknown, fine: "every row of the coming 400 days can be read, and has only values that rappel knows"}
}

// checkRules has what keeps a rule from ever firing, and what keeps its message
// from people once it does.
func (a *App) checkRules(ctx context.Context) verdict {
	never, doubtful, err := a.store.BrokenRules(ctx)
	if err != nil {
		return failed(err)
	}
	found, err := a.Lint(ctx)
	if err != nil {
		return failed(err)
	}
	for _, f := range found {
		if f.Source.ID == "" {
			never = append(never, f.Message)
		}
	}
	return verdict{wrong: never, doubtful: doubtful, fine: "every active rule can fire, and has a text for everybody"}
}

// checkTemplates names the texts; what is wrong with each takes more than a line.
func (a *App) checkTemplates(ctx context.Context) verdict {
	found, err := a.Lint(ctx)
	if err != nil {
		return failed(err)
	}
	var wrong, dear []string
	for _, f := range found {
		switch {
		case f.Source.ID == "":
		case f.Wrong:
			wrong = append(wrong, f.Source.ID)
		default:
			dear = append(dear, f.Source.ID)
		}
	}
	v := verdict{fine: "every active text can be rendered"}
	if len(wrong) > 0 {
		v.wrong = []string{texts(wrong, "cannot be rendered")}
	}
	if len(dear) > 0 {
		v.doubtful = []string{texts(dear, "costs more SMS segments than it might")}
	}
	return v
}

// texts names texts, each once.
func texts(ids []string, what string) string {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	return fmt.Sprintf("of the templates, %d %s (rappel lint says why): %s", len(ids), what, strings.Join(bounded(ids), ", "))
}

func (a *App) checkZones(ctx context.Context) verdict {
	practices, others, err := a.store.UnknownZones(ctx)
	if err != nil {
		return failed(err)
	}
	return verdict{wrong: practices, doubtful: others, fine: "every zone name exists"}
}
