package report

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed" // the page's parts
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Status says whether a run goes on, or how it ended.
type Status string

// The ways a run stands.
const (
	Running     Status = "running"
	Finished    Status = "finished"
	Failed      Status = "failed"
	Interrupted Status = "interrupted"
)

// Run is what the page says of a run beside what it logged.
type Run struct {
	Title    string // its folder
	Stage    string // the command
	Status   Status
	Reason   string // the error that it failed with, or what interrupted it
	Config   string // YAML
	Facts    []Fact // versions, the device, the seed
	Sessions []Session
	Epochs   int           // that are complete
	Of       int           // that the run is to have; negative when that is not known
	Updated  time.Time     // when this was so
	Refresh  time.Duration // how often the page is written anew while the run goes on
}

// Fact is a row of the page's table.
type Fact struct{ Name, Text string }

// Session is one process of a run: a resumed run has several.
type Session struct {
	Began   time.Time `json:"began"`
	Seconds float64   `json:"seconds"`
	From    int64     `json:"from"` // the optimizer step it began at
	To      int64     `json:"to"`
	Status  Status    `json:"status"`
}

const (
	// drawnPoints is how many points all curves of a page have together: about 20 bytes each.
	drawnPoints = 50_000
	// configBytes is how much of a configuration a page shows.
	configBytes = 256 << 10
	// tableRows is how many metrics a page's table shows.
	tableRows = 1000
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
	//go:embed page.js
	pageJS string
	//go:embed uplot/uPlot.iife.min.js
	uplotJS string
	//go:embed uplot/uPlot.min.css
	uplotCSS string
	//go:embed uplot/LICENSE
	uplotLicense string
)

// assets are the parts of the page that are the same for every run.
type assets struct {
	Style    template.CSS
	Library  template.JS
	Script   template.JS
	Policy   string // lets these scripts and styles run, and nothing be loaded
	Licence  template.HTML
	template *template.Template
}

var shell = sync.OnceValue(func() *assets {
	_, library, _ := strings.Cut(uplotJS, "*/\n") // its address, which the licence's comment stands for
	a := &assets{Style: template.CSS(uplotCSS + "\n" + pageCSS), Library: template.JS(library), Script: template.JS(pageJS)}
	a.Licence = template.HTML("<!--\nuPlot, which draws the curves:\n\n" + uplotLicense + "-->")
	a.Policy = fmt.Sprintf("default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; style-src %s; script-src %s %s",
		hash(string(a.Style)), hash(library), hash(pageJS))
	a.template = template.Must(template.New("page").Parse(pageHTML))
	return a
})

// hash is a source of the page's policy.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// Write writes the page.
func Write(w io.Writer, r Run, h *History) error {
	all := slices.SortedFunc(slices.Values(h.series), func(a, b *series) int { return cmp.Compare(a.name, b.name) })
	data, err := dataOf(r, all)
	if err != nil {
		return err
	}
	config, cut := r.Config, false
	if len(config) > configBytes {
		config, cut = strings.ToValidUTF8(config[:configBytes], ""), true
	}
	rows := tableOf(all)
	hidden := max(0, len(rows)-tableRows)
	return shell().template.Execute(w, map[string]any{
		"Shell": shell(), "Run": r, "Data": template.JS(data), "Config": config, "ConfigCut": cut,
		"Metrics": rows[:len(rows)-hidden], "MetricsHidden": hidden, "Timing": timingOf(r, h), "Curves": bytes.Contains(data, []byte(`"lines":`)),
	})
}

// state is the data of a page: what its script draws, and what a resumed run reads back.
type state struct {
	Updated  int64     `json:"updated"` // Unix time in ms
	Running  bool      `json:"running"`
	Refresh  float64   `json:"refresh"` // seconds
	Sessions []Session `json:"sessions"`
	Charts   []chart   `json:"charts"`
	Series   []curve   `json:"series"`
}

// curve is a series as the page has it.
type curve struct {
	Name  string  `json:"name"`
	Width int     `json:"width"`
	X     []int64 `json:"x"`
	Y     numbers `json:"y"`
}

// numbers are written in as many digits as float32 needs; JSON has no NaN and no infinity, which become null.
type numbers []float64

// MarshalJSON writes the list.
func (ns numbers) MarshalJSON() ([]byte, error) {
	b := []byte{'['}
	for i, v := range ns {
		if i > 0 {
			b = append(b, ',')
		}
		switch {
		case math.IsNaN(v) || math.IsInf(v, 0):
			b = append(b, "null"...)
		case math.Abs(v) > math.MaxFloat32:
			b = strconv.AppendFloat(b, v, 'g', -1, 64)
		default:
			b = strconv.AppendFloat(b, v, 'g', -1, 32)
		}
	}
	return append(b, ']'), nil
}

// UnmarshalJSON reads it.
func (ns *numbers) UnmarshalJSON(b []byte) error {
	var values []*float64
	if err := json.Unmarshal(b, &values); err != nil {
		return err
	}
	*ns = make(numbers, len(values))
	for i, v := range values {
		if (*ns)[i] = math.NaN(); v != nil {
			(*ns)[i] = *v
		}
	}
	return nil
}

func dataOf(r Run, all []*series) ([]byte, error) {
	s := state{
		Updated: r.Updated.UnixMilli(), Running: r.Status == Running, Refresh: r.Refresh.Seconds(), Sessions: r.Sessions,
		Charts: charts(all), Series: make([]curve, len(all)),
	}
	limit := min(seriesPoints, drawnPoints/max(1, len(all)))
	for i, one := range all {
		points := one.drawn(limit)
		c := curve{Name: one.name, Width: one.width, X: make([]int64, len(points)), Y: make(numbers, len(points))}
		for j, p := range points {
			c.X[j], c.Y[j] = p.x, p.y
		}
		s.Series[i] = c
	}
	return json.Marshal(s) // escapes what could end the script's element
}

const (
	dataBegin = `<script id="data" type="application/json">`
	dataEnd   = `</script>`
)

// Read takes the history and the sessions of an earlier page.
func Read(page []byte) (*History, []Session, error) {
	_, rest, ok := bytes.Cut(page, []byte(dataBegin))
	data, _, ended := bytes.Cut(rest, []byte(dataEnd))
	if !ok || !ended {
		return nil, nil, fmt.Errorf("it is no whole report: it has no %s", dataBegin)
	}
	var s state
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, nil, err
	}
	h := &History{}
	for _, c := range s.Series {
		for i := range min(len(c.X), len(c.Y)) {
			h.Add(c.Name, c.X[i], c.Y[i])
		}
		if len(c.X) > 0 {
			if one := h.find(c.Name); one.width < c.Width {
				one.width = min(c.Width, 1<<30)
			}
		}
	}
	return h, s.Sessions, nil
}

// metric is a row of the table.
type metric struct {
	Name, Last           string
	LastStep             int64
	Least, Greatest      string
	LeastStep, GreatStep int64
	LeastBest, GreatBest bool
}

func tableOf(all []*series) []metric {
	rows := []metric{}
	for _, s := range all {
		if s.name == EpochSeconds || s.name == StepsPerSecond || len(s.points)+s.count == 0 {
			continue
		}
		least, greatest := s.bounds()
		varies := least.y != greatest.y
		low := lowIsGood(s.name)
		rated := varies && !strings.Contains(s.name, "optimizer/") && !strings.HasPrefix(s.name, "lr-")
		rows = append(rows, metric{
			Name: s.name, Last: number(s.last.y), LastStep: s.last.x, Least: number(least.y), LeastStep: least.x,
			Greatest: number(greatest.y), GreatStep: greatest.x, LeastBest: rated && low, GreatBest: rated && !low,
		})
	}
	return rows
}

func number(v float64) string { return strings.ToLower(strconv.FormatFloat(v, 'g', 6, 64)) }
