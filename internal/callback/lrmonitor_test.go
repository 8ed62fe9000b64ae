package callback

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/callback/callbacktest"
)

// grouped is an optimizer with nothing but options.
type grouped struct {
	lighter.Optimizer
	class  string
	groups []*lighter.ParamGroup
}

func (o grouped) Name() string                  { return o.class }
func (o grouped) Groups() []*lighter.ParamGroup { return o.groups }

func groupOf(options map[string]any) *lighter.ParamGroup {
	g := &lighter.ParamGroup{}
	for name, v := range options {
		if list, ok := v.([]any); ok {
			v = []float64{list[0].(float64), list[1].(float64)}
		}
		g.SetOption(name, v)
	}
	return g
}

// goldenRow is a logged row: names and values, in order.
type goldenRow []lighter.Scalar

func (r *goldenRow) UnmarshalJSON(b []byte) error {
	var pairs [][2]any
	if err := json.Unmarshal(b, &pairs); err != nil {
		return err
	}
	for _, p := range pairs {
		*r = append(*r, lighter.Scalar{Name: p[0].(string), Value: p[1].(float64)})
	}
	return nil
}

// The rows at the start of an epoch and of a batch are those of Lightning's LearningRateMonitor, in float64.
func TestLearningRateMonitorAsLightning(t *testing.T) {
	for _, c := range golden[[]struct {
		Name         string
		Args         map[string]any
		Class        string
		Groups       []map[string]any
		Schedule     []*string
		Epoch, Batch []goldenRow
	}](t, "lr_monitor.json") {
		t.Run(c.Name, func(t *testing.T) {
			built, log := configured(t, "pytorch_lightning.callbacks.LearningRateMonitor", c.Args)
			m := built.(*lrMonitor)
			o := grouped{class: c.Class}
			for _, g := range c.Groups {
				o.groups = append(o.groups, groupOf(g))
			}
			tr := &callbacktest.Trainer{Optim: o, Due: true, Dir: "logs"}
			if c.Schedule != nil {
				tr.Changes = &lighter.Schedule{Interval: *c.Schedule[0]}
				if c.Schedule[1] != nil {
					tr.Changes.Name = *c.Schedule[1]
				}
			}
			must(t, m.StageStart(tr))
			must(t, m.EpochStart(tr))
			epoch := tr.Rows
			tr.Rows = nil
			must(t, m.BatchStart(tr, nil, 0))
			tr.Due = false
			must(t, m.BatchStart(tr, nil, 1))
			for at, rows := range map[string][2][]goldenRow{"epoch": {rowsOf(epoch), c.Epoch}, "batch": {rowsOf(tr.Rows), c.Batch}} {
				if !slices.EqualFunc(rows[0], rows[1], slices.Equal[goldenRow]) {
					t.Errorf("at the start of an %s: %v, want %v", at, rows[0], rows[1])
				}
			}
			if log.String() != "" {
				t.Errorf("reported %s", log)
			}
		})
	}
}

func rowsOf(rows [][]lighter.Scalar) (out []goldenRow) {
	for _, r := range rows {
		out = append(out, r)
	}
	return out
}

func TestLearningRateMonitorReports(t *testing.T) {
	group := func(name string) *lighter.ParamGroup { return groupOf(map[string]any{"lr": 0.1, "name": name}) }
	start := func(a LearningRateMonitor, dir string, groups ...*lighter.ParamGroup) (string, error) {
		built, log := build(t, a)
		err := built.(*lrMonitor).StageStart(&callbacktest.Trainer{Dir: dir, Optim: grouped{class: "SGD", groups: groups}})
		return log.String(), err
	}
	want := "A single `Optimizer` cannot have multiple parameter groups with identical `name` values. lr-SGD has duplicated parameter group names {'pg2'}"
	if _, err := start(LearningRateMonitor{}, "logs", group("pg2"), groupOf(map[string]any{"lr": 0.1})); err == nil || err.Error() != want {
		t.Errorf("two groups of one name: %v", err)
	}
	if log, err := start(LearningRateMonitor{}, "", group("a")); err != nil || !strings.Contains(log, "that has no logger") {
		t.Errorf("without a logger: %v, %s", err, log)
	}
	if log, err := start(LearningRateMonitor{LogMomentum: true}, "logs", group("a")); err != nil || !strings.Contains(log, "do not have momentum") {
		t.Errorf("without momentum: %v, %s", err, log)
	}
}
