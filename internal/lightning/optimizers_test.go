package lightning

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
)

type optimizerNamed struct {
	lighter.Optimizer
	name string
}

func (o *optimizerNamed) Name() string { return o.name }

// TestOptimizers: the forms of configure_optimizers, and what is wrong with others, in Lightning's words.
func TestOptimizers(t *testing.T) {
	a, b := &optimizerNamed{name: "a"}, &optimizerNamed{name: "b"}
	plain, other, plateau := schedulerStub{of: a}, schedulerStub{of: b}, schedulerStub{of: a, on: true}
	type list = lighter.List
	type dict = lighter.Dict
	for _, c := range []struct {
		name   string
		v      lighter.Value
		manual bool
		want   string // the optimizers, and each scheduler's interval, frequency, monitor, strict and name
		warns  string
	}{
		{name: "none", v: nil, want: "_MockOptimizer", warns: "`LightningModule.configure_optimizers` returned `None`, this fit will run with no optimizer"},
		{name: "one", v: a, want: "a"},
		{name: "a list", v: list{a}, want: "a"},
		{name: "two lists", v: list{list{a}, list{plain}}, want: "a; epoch 1 \"\" true \"\""},
		{name: "a list and a scheduler", v: list{list{a}, plain}, want: "a; epoch 1 \"\" true \"\""},
		{name: "a dict", v: dict{"optimizer": a, "lr_scheduler": plain}, want: "a; epoch 1 \"\" true \"\""},
		{name: "a monitor", v: dict{"optimizer": a, "lr_scheduler": plateau, "monitor": "val"}, want: "a; epoch 1 \"val\" true \"\""},
		{name: "a dict of a scheduler", v: dict{"optimizer": a, "lr_scheduler": dict{"scheduler": plateau, "interval": "step", "frequency": int64(3), "monitor": "m", "strict": false, "name": "n"}}, want: "a; step 3 \"m\" false \"n\""},
		{name: "a schedule", v: dict{"optimizer": a, "lr_scheduler": &lighter.Schedule{Scheduler: plain, Interval: "step", Frequency: 2}}, want: "a; step 2 \"\" false \"\""},
		{name: "two schedulers", v: list{list{a}, list{plain, dict{"scheduler": plain, "interval": "step"}}}, want: "a; epoch 1 \"\" true \"\"; step 1 \"\" true \"\""},
		{name: "two dicts", v: list{dict{"optimizer": a, "lr_scheduler": plain}, dict{"optimizer": b}}, manual: true, want: "a b; epoch 1 \"\" true \"\""},
		{name: "two optimizers", v: list{a, b}, manual: true, want: "a b"},
		{name: "two of each", v: list{list{a, b}, list{plain, other}}, manual: true, want: "a b; epoch 1 \"\" true \"\"; epoch 1 \"\" true \"\""},
		{name: "a monitor that means nothing", v: list{list{a}, list{dict{"scheduler": plateau, "monitor": "m"}}}, manual: true, want: "a; epoch 1 \"\" true \"\"",
			warns: "The lr scheduler dict contains the key(s) ['monitor'], but the keys will be ignored. You need to call `lr_scheduler.step()` manually in manual optimization."},
		{name: "unknown keys", v: dict{"optimizer": a, "x": 1}, want: "a", warns: "Found unsupported keys in the optimizer configuration: {'x'}"},
		{name: "unknown scheduler keys", v: dict{"optimizer": a, "lr_scheduler": dict{"scheduler": plain, "foo": 1}}, want: "a; epoch 1 \"\" true \"\"",
			warns: "Found unsupported keys in the lr scheduler dict: {'foo'}. HINT: remove them from the output of `configure_optimizers`."},

		{name: "several, automatic", v: list{a, b}, want: "error: Training with multiple optimizers is only supported with manual optimization. Set `self.automatic_optimization = False`, then access your optimizers in `training_step` with `opt1, opt2, ... = self.optimizers()`."},
		{name: "no optimizers", v: list{}, want: "error: configure_optimizers: the list of optimizers is empty"},
		{name: "a number", v: int64(1), want: "error: Unknown configuration for model optimizers."},
		{name: "a list of numbers", v: list{int64(1)}, want: "error: Unknown configuration for model optimizers."},
		{name: "no monitor", v: list{list{a}, list{plateau}}, want: "error: `configure_optimizers` must include a monitor when a `ReduceLROnPlateau` scheduler is used. For example: {\"optimizer\": optimizer, \"lr_scheduler\": scheduler, \"monitor\": \"metric_to_track\"}"},
		{name: "no monitor in a dict", v: dict{"optimizer": a, "lr_scheduler": dict{"scheduler": plateau}}, want: "error: The lr scheduler dict must include a monitor when a `ReduceLROnPlateau` scheduler is used. For example: {\"optimizer\": optimizer, \"lr_scheduler\": {\"scheduler\": scheduler, \"monitor\": \"your_loss\"}}"},
		{name: "no scheduler", v: dict{"optimizer": a, "lr_scheduler": dict{"interval": "step"}}, want: "error: The lr scheduler dict must have the key \"scheduler\" with its item being an lr scheduler"},
		{name: "an interval", v: dict{"optimizer": a, "lr_scheduler": dict{"scheduler": plain, "interval": "batch"}}, want: "error: The \"interval\" key in lr scheduler dict must be \"step\" or \"epoch\" but is \"batch\""},
		{name: "of another optimizer", v: list{list{a}, list{other}}, want: "error: Some schedulers are attached with an optimizer that wasn't returned from `configure_optimizers`."},
		{name: "no optimizer in a dict", v: dict{"lr_scheduler": plain}, want: "error: configure_optimizers: the dict must have the key \"optimizer\" with its item being an Optimizer, got NoneType"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var warned []string
			optimizers, schedules, err := Optimizers(c.v, !c.manual, func(s string) { warned = append(warned, s) })
			if err != nil {
				if got := "error: " + err.Error(); !strings.HasPrefix(c.want, "error") || !strings.HasPrefix(got, c.want) {
					t.Errorf("got  %s\nwant %s", got, c.want)
				}
				return
			}
			var names []string
			for _, o := range optimizers {
				names = append(names, o.Name())
			}
			got := strings.Join(names, " ")
			for _, s := range schedules {
				got += fmt.Sprintf("; %s %d %q %t %q", s.Interval, s.Frequency, s.Monitor, s.Strict, s.Name)
			}
			if got != c.want || strings.Join(warned, "\n") != c.warns {
				t.Errorf("got  %s (%s)\nwant %s (%s)", got, warned, c.want, c.warns)
			}
		})
	}
}
