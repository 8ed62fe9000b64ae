package callback

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/lighter-go/lighter"
)

// rate is the loop's batches a second, validations in between not counted.
func (l *progressLoop) rate(now time.Time) float64 {
	spent := l.elapsed(now).Seconds()
	if spent <= 0 {
		return 0
	}
	return float64(l.done) / spent
}

func (l *progressLoop) elapsed(now time.Time) time.Duration { return now.Sub(l.began) - l.paused }

func (l *progressLoop) count() string {
	if l.total < 0 {
		return fmt.Sprintf("%d/?", l.done)
	}
	total := fmt.Sprint(l.total)
	return fmt.Sprintf("%*d/%s", len(total), l.done, total)
}

func epochLabel(epoch, last int) string {
	if last < 0 {
		return fmt.Sprintf("Epoch %d", epoch+1)
	}
	return fmt.Sprintf("Epoch %d/%d", epoch+1, last)
}

// rateText is "1530 it/s", "12.3 it/s", or "2.31 s/it" when a batch takes longer than a second.
func rateText(rate float64) string {
	switch {
	case rate <= 0:
		return "- it/s"
	case rate < 1:
		return fmt.Sprintf("%.2f s/it", 1/rate)
	case rate < 100:
		return fmt.Sprintf("%.1f it/s", rate)
	}
	return fmt.Sprintf("%.0f it/s", rate)
}

// clockText is "0:07", "12:30", "1:02:03".
func clockText(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// timeText is what has passed and what is left of the loop, as tqdm has it: "0:07<0:12".
func timeText(l *progressLoop, now time.Time) string {
	left := "?"
	if rate := l.rate(now); rate > 0 && l.total >= 0 {
		left = clockText(time.Duration(float64(max(l.total-l.done, 0)) / rate * float64(time.Second)))
	}
	return clockText(l.elapsed(now)) + "<" + left
}

// shownMetric is a metric as it is shown: "train/loss", "0.1234".
type shownMetric struct{ name, value string }

// shownMetrics picks what a person wants to see from all that is logged: for each name the step's value while its mode
// runs, else the epoch's, without the optimizer's statistics. Losses come first.
func shownMetrics(all map[string]float64, running lighter.Mode, ended bool) []shownMetric {
	type pick struct {
		name   string
		value  float64
		wanted bool // of the kind to show
	}
	var picks []pick
	for full, v := range all {
		name, kind := full, ""
		for _, k := range []string{"/step", "/epoch"} {
			if s, ok := strings.CutSuffix(full, k); ok {
				name, kind = s, k
			}
		}
		mode, rest, _ := strings.Cut(name, "/")
		if strings.HasPrefix(rest, "optimizer/") {
			continue
		}
		want := "/epoch"
		if mode == running.String() && !ended {
			want = "/step"
		}
		p := pick{strings.Replace(name, "/metrics/", "/", 1), v, kind == want}
		if i := slices.IndexFunc(picks, func(q pick) bool { return q.name == p.name }); i < 0 {
			picks = append(picks, p)
		} else if p.wanted {
			picks[i] = p
		}
	}
	rank := func(p pick) int {
		mode, rest, _ := strings.Cut(p.name, "/")
		i := slices.Index([]string{"train", "val", "test", "predict"}, mode)
		switch {
		case i < 0:
			return 8
		case strings.HasPrefix(rest, "loss"):
			return i
		}
		return 4 + i
	}
	slices.SortFunc(picks, func(a, b pick) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.name, b.name)) })
	shown := make([]shownMetric, len(picks))
	for i, p := range picks {
		shown[i] = shownMetric{p.name, fmt.Sprintf("%#.4g", p.value)}
	}
	return shown
}

// lineView writes a line for every epoch, and one a minute in an epoch that takes long.
type lineView struct{ out io.Writer }

func (v *lineView) drop()  {}
func (v *lineView) close() {}

func (v *lineView) update(l *progressLoop, now time.Time, metrics []shownMetric) {
	io.WriteString(v.out, progressLine(l, now, metrics)+"\n")
}

func (v *lineView) finish(l *progressLoop, now time.Time, metrics []shownMetric) {
	v.update(l, now, metrics)
}

// progressLine is "epoch 3/10  44/44  1530 it/s  train/loss 0.1234  val/loss 0.2000".
func progressLine(l *progressLoop, now time.Time, metrics []shownMetric) string {
	parts := []string{strings.ToLower(l.label), l.count(), rateText(l.rate(now))}
	for _, m := range metrics {
		parts = append(parts, m.name+" "+m.value)
	}
	return strings.Join(parts, "  ")
}
