package report

import (
	"fmt"
	"time"
)

// timingOf are the rows of the page about time.
func timingOf(r Run, h *History) []Fact {
	if len(r.Sessions) == 0 {
		return nil
	}
	first, last := r.Sessions[0], r.Sessions[len(r.Sessions)-1]
	facts := []Fact{{"started", first.Began.Format("2006-01-02 15:04:05 -0700")}}
	add := func(name, format string, args ...any) {
		facts = append(facts, Fact{name, fmt.Sprintf(format, args...)})
	}
	var total float64
	for _, s := range r.Sessions {
		total += s.Seconds
	}
	if len(r.Sessions) > 1 {
		add("resumed", "%s (%s, after step %d)", last.Began.Format("2006-01-02 15:04:05 -0700"), times(len(r.Sessions)-1), last.From)
		add("duration", "%s since then, %s in all", duration(last.Seconds), duration(total))
	} else {
		add("duration", "%s", duration(total))
	}
	if r.Stage != "fit" {
		return facts
	}
	if r.Of >= 0 {
		add("epochs", "%d of %d", r.Epochs, r.Of)
	} else {
		add("epochs", "%d", r.Epochs)
	}
	add("steps", "%d", last.To)
	if n := last.To - last.From; n > 0 && last.Seconds > 0 {
		add("steps per second", "%s", number3(float64(n)/last.Seconds))
	}
	if s := h.byName[EpochSeconds]; s != nil && len(s.points)+s.count > 0 {
		least, greatest := s.bounds()
		add("time of an epoch", "%s the last, %s to %s", duration(s.last.y), duration(least.y), duration(greatest.y))
	}
	return facts
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// duration shows seconds in three digits or to the second.
func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case seconds < 1:
		return number3(seconds*1000) + " ms"
	case seconds < 100:
		return number3(seconds) + " s"
	case seconds >= 86400:
		return fmt.Sprintf("%dd %s", int(seconds)/86400, (d % (24 * time.Hour)).Round(time.Minute))
	}
	return d.Round(time.Second).String()
}

// number3 shows a number in three digits or more.
func number3(v float64) string {
	switch {
	case v >= 99.95:
		return fmt.Sprintf("%.0f", v)
	case v >= 9.995:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
