package report

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// History is what a run logged, in bounded memory: long curves are thinned out.
type History struct {
	series []*series
	byName map[string]*series
}

const (
	// allPoints is how many points all series keep together, seriesPoints how many one may.
	allPoints    = 200_000
	seriesPoints = 4000
)

// Add takes a value in. Its name is the one it is logged under: "train/loss/step".
func (h *History) Add(name string, step int64, value float64) {
	h.find(name).add(point{step, value}, h.limit())
}

// drop forgets what the run logged, and keeps what the page measured.
func (h *History) drop() {
	h.series = slices.DeleteFunc(h.series, func(s *series) bool { return s.name != EpochSeconds && s.name != StepsPerSecond })
	h.byName = nil
	for _, s := range h.series {
		h.index(s)
	}
}

func (h *History) limit() int {
	return min(seriesPoints, max(16, allPoints/max(1, len(h.series))))
}

func (h *History) find(name string) *series {
	s, ok := h.byName[name]
	if !ok {
		s = &series{name: name, width: 1}
		h.series = append(h.series, s)
		h.index(s)
	}
	return s
}

func (h *History) index(s *series) {
	if h.byName == nil {
		h.byName = map[string]*series{}
	}
	h.byName[s.name] = s
}

// ReadCSV takes in the values of a metrics.csv, as CSVLogger writes it, in the place of those logged before. A prefix of its names
// is taken off. The values before an error are kept.
func (h *History) ReadCSV(r io.Reader) error {
	c := csv.NewReader(r)
	c.ReuseRecord, c.FieldsPerRecord = true, -1
	header, err := c.Read()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return err
	}
	names, step := slices.Clone(header), slices.Index(header, "step")
	if step < 0 {
		return fmt.Errorf("no column %q among %q", "step", names)
	}
	h.drop()
	prefix := prefixOf(names)
	for i := range names {
		names[i] = strings.ToValidUTF8(strings.TrimPrefix(names[i], prefix), "\uFFFD") // as the page's JSON would have it
	}
	for {
		record, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(record) != len(names) {
			continue // the torn last line of a killed run
		}
		at, err := strconv.ParseInt(record[step], 10, 64)
		if err != nil {
			continue
		}
		for i, cell := range record {
			if i == step || cell == "" || names[i] == "epoch" {
				continue
			}
			if v, err := strconv.ParseFloat(cell, 64); err == nil || errors.Is(err, strconv.ErrRange) {
				h.Add(names[i], at, v)
			}
		}
	}
}

// prefixOf is the logger's prefix: what is before "epoch", which a table has with a dash before it, and before all names but step.
func prefixOf(names []string) string {
	for _, name := range names {
		prefix, ok := strings.CutSuffix(name, "-epoch")
		prefix += "-"
		if ok && !slices.ContainsFunc(names, func(n string) bool { return n != "step" && !strings.HasPrefix(n, prefix) }) {
			return prefix
		}
	}
	return ""
}
