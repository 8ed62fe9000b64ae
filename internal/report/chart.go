package report

import (
	"cmp"
	"slices"
	"strings"
)

// The names of what the page measures itself.
const (
	EpochSeconds   = "lighter/seconds per epoch"
	StepsPerSecond = "lighter/steps per second"
)

// chart is a plot of series that belong together: a metric in training and validation, by steps and by epochs.
type chart struct {
	Title  string `json:"title"`
	Hidden bool   `json:"hidden,omitempty"` // below the others, folded
	Lines  []line `json:"lines"`
}

// line is a series in a chart.
type line struct {
	Series int    `json:"series"`
	Label  string `json:"label"`
	Mode   string `json:"mode,omitempty"`
	Epoch  bool   `json:"epoch,omitempty"` // a value of each epoch

	rank  rank
	title string
}

// rank is the order of charts.
type rank int

const (
	lossRank rank = iota
	metricRank
	rateRank
	otherRank
	timeRank
	hiddenRank
)

// charts groups the series, which are sorted by name.
func charts(all []*series) []chart {
	var lines []line
	for i, s := range all {
		if len(s.points)+s.count < 2 {
			continue
		}
		l := lineOf(s)
		l.Series = i
		lines = append(lines, l)
	}
	slices.SortStableFunc(lines, func(a, b line) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.title, b.title), cmp.Compare(modeOrder(a.Mode), modeOrder(b.Mode)))
	})
	var out []chart
	for _, l := range lines {
		if n := len(out); n == 0 || out[n-1].Title != l.title || out[n-1].Hidden != (l.rank == hiddenRank) {
			out = append(out, chart{Title: l.title, Hidden: l.rank == hiddenRank})
		}
		c := &out[len(out)-1]
		c.Lines = append(c.Lines, l)
	}
	return out
}

var modes = []string{"train", "val", "test"}

func modeOrder(mode string) int { return slices.Index(modes, mode) }

// lineOf takes a name apart: "train/metrics/Accuracy/step", "val/loss/epoch/dataloader_idx_1", "lr-Adam", "val_loss".
func lineOf(s *series) line {
	var l line
	rest := s.name
	switch rest {
	case EpochSeconds, StepsPerSecond:
		_, l.title, _ = strings.Cut(rest, "/")
		l.Label, l.Epoch, l.rank = l.title, true, timeRank
		return l
	}
	if before, loader, ok := strings.Cut(rest, "/dataloader_idx_"); ok {
		rest, l.Label = before, " of loader "+loader
	}
	for _, mode := range modes {
		if after, ok := cutAny(strings.CutPrefix, rest, mode+"/", mode+"_"); ok {
			rest, l.Mode = after, mode
			break
		}
	}
	kind := "step"
	if before, ok := cutAny(strings.CutSuffix, rest, "/epoch", "_epoch"); ok {
		rest, l.Epoch, kind = before, true, "epoch"
	} else if before, ok := cutAny(strings.CutSuffix, rest, "/step", "_step"); ok {
		rest = before
	} else {
		kind = ""
	}
	rest = strings.TrimPrefix(rest, "metrics/")
	l.title, l.rank = rest, rankOf(rest)
	switch {
	case l.rank == rateRank:
		l.title, l.Mode = "learning rate", ""
		l.Label = rest + l.Label
	case l.Mode == "":
		l.Label = rest + l.Label
	default:
		l.Label = strings.TrimSpace(l.Mode + l.Label + " " + kind)
	}
	if l.rank == otherRank && strings.HasPrefix(rest, "optimizer/") && constant(s) {
		l.rank = hiddenRank
	}
	if kind == "step" && l.Mode != "train" && l.Mode != "" { // its steps count batches of that mode
		l.title, l.rank = l.title+", by "+l.Mode+" batches", hiddenRank
	}
	return l
}

func cutAny(cut func(s, part string) (string, bool), s string, parts ...string) (string, bool) {
	for _, p := range parts {
		if rest, ok := cut(s, p); ok && rest != "" {
			return rest, true
		}
	}
	return s, false
}

func rankOf(title string) rank {
	switch {
	case title == "lr", strings.HasPrefix(title, "lr-") && !strings.HasSuffix(title, "-momentum") && !strings.HasSuffix(title, "-weight_decay"),
		strings.HasPrefix(title, "optimizer/") && (strings.HasSuffix(title, "/lr") || strings.Contains(title, "/lr/")):
		return rateRank
	case strings.HasPrefix(title, "optimizer/"):
		return otherRank
	case title == "loss", strings.HasPrefix(title, "loss/"):
		return lossRank
	}
	return metricRank
}

func constant(s *series) bool {
	least, greatest := s.bounds()
	return least.y == greatest.y
}

// lowIsGood guesses from a name which way a metric improves.
func lowIsGood(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"loss", "error", "mse", "mae", "rmse", "perplexity", "distance", "divergence", "hinge", "seconds"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}
