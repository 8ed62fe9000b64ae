package callback

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/callback/callbacktest"
	"github.com/lighter-go/lighter/internal/timedelta"
	"github.com/lighter-go/lighter/tensor"
)

type checkpointCase struct {
	Name string
	Args map[string]any
	Run  struct {
		EachEpoch *bool `json:"each_epoch"`
	}
	StateKey string `json:"state_key"`
	Events   []struct {
		Do      string
		Epoch   int
		Step    int64
		Last    bool
		Metrics map[string]any
		Files   []string
		Best    string
		LastCk  string `json:"last_path"`
		Kth     string
	}
}

// checkpointArgs sets arguments from JSON.
func checkpointArgs(t *testing.T, args map[string]any) ModelCheckpoint {
	t.Helper()
	a := DefaultModelCheckpoint()
	number := func(v any) int { return int(v.(float64)) }
	for name, v := range args {
		switch name {
		case "monitor":
			a.Monitor = new(v.(string))
		case "filename":
			a.Filename = new(v.(string))
		case "mode":
			a.Mode = v.(string)
		case "save_top_k":
			a.SaveTopK = number(v)
		case "save_last":
			must(t, a.SaveLast.DecodeConfig(v))
		case "every_n_epochs":
			a.EveryNEpochs = new(number(v))
		case "every_n_train_steps":
			a.EveryNTrainSteps = new(number(v))
		case "auto_insert_metric_name":
			a.AutoInsertMetricName = v.(bool)
		case "enable_version_counter":
			a.EnableVersionCounter = v.(bool)
		case "save_on_train_epoch_end":
			a.SaveOnTrainEpochEnd = new(v.(bool))
		default:
			t.Fatalf("unknown argument %s", name)
		}
	}
	must(t, a.Validate())
	return a
}

// The files, and the best, last and worst paths, after every event are those of Lightning's ModelCheckpoint.
func TestModelCheckpointAsLightning(t *testing.T) {
	data, err := os.ReadFile("testdata/checkpoint.json")
	must(t, err)
	var cases []checkpointCase
	must(t, json.Unmarshal(data, &cases))
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			a := checkpointArgs(t, c.Args)
			dir := filepath.Join(realTempDir(t), "ck")
			a.Dirpath = &dir
			built, _ := build(t, a)
			ck := built.(*Checkpoint)
			tr := &callbacktest.Trainer{Logged: map[string]float64{}, MidEpoch: c.Run.EachEpoch != nil && !*c.Run.EachEpoch}
			must(t, ck.Setup(tr))
			must(t, ck.StageStart(tr))
			if ck.StateKey() != c.StateKey {
				t.Errorf("state key %s, want %s", ck.StateKey(), c.StateKey)
			}
			for i, e := range c.Events {
				tr.AtEpoch, tr.AtStep, tr.ValNext = e.Epoch, e.Step, e.Last
				for name, v := range e.Metrics {
					f, ok := v.(float64)
					if !ok {
						f = math.NaN()
					}
					tr.Logged[name] = f
				}
				switch e.Do {
				case "batch":
					tr.InMode = lighter.Train
					err = ck.BatchEnd(tr, nil, 0)
				case "val":
					tr.InMode = lighter.Val
					err = ck.EpochEnd(tr)
				case "epoch":
					tr.InMode = lighter.Train
					err = ck.EpochEnd(tr)
				default:
					err = ck.StageEnd(tr)
				}
				must(t, err)
				if files := filesIn(dir); !slices.Equal(files, e.Files) {
					t.Fatalf("event %d (%s, step %d): files %q, want %q", i, e.Do, e.Step, files, e.Files)
				}
				for what, p := range map[string][2]string{"best": {ck.bestPath, e.Best}, "last": {ck.lastPath, e.LastCk}, "worst": {ck.kthPath, e.Kth}} {
					if got := strings.TrimPrefix(p[0], dir+"/"); got != p[1] {
						t.Fatalf("event %d (%s, step %d): %s path %q, want %q", i, e.Do, e.Step, what, got, p[1])
					}
				}
			}
		})
	}
}

func realTempDir(t *testing.T) string {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	return dir
}

func filesIn(dir string) []string {
	files := []string{}
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			files = append(files, rel)
		}
		return nil
	})
	slices.Sort(files)
	return files
}

func TestModelCheckpointRefuses(t *testing.T) {
	for _, c := range []struct {
		change func(*ModelCheckpoint)
		want   string
	}{
		{func(a *ModelCheckpoint) { a.SaveTopK = -2 }, "Invalid value for save_top_k=-2. Must be >= -1"},
		{func(a *ModelCheckpoint) { a.SaveTopK = 3 }, "ModelCheckpoint(save_top_k=3, monitor=None) is not a valid configuration. No quantity for top_k to track."},
		{func(a *ModelCheckpoint) { a.EveryNTrainSteps = new(-1) }, "Invalid value for every_n_train_steps=-1. Must be >= 0"},
		{func(a *ModelCheckpoint) { a.EveryNEpochs = new(-1) }, "Invalid value for every_n_epochs=-1. Must be >= 0"},
		{func(a *ModelCheckpoint) {
			a.EveryNEpochs, a.EveryNTrainSteps, a.TrainTimeInterval = new(1), new(2), new(timedelta.Duration(time.Minute))
		}, "Combination of parameters every_n_train_steps=2, every_n_epochs=1 and train_time_interval=datetime.timedelta(seconds=60) should be mutually exclusive."},
		{func(a *ModelCheckpoint) { a.Filename = new("{epoch") }, "expected '}' before end of string"},
		{func(a *ModelCheckpoint) { a.Filename = new("epoch}") }, "single '}' encountered in format string"},
		{func(a *ModelCheckpoint) { a.Filename = new("{epoch:.2q}") }, "{epoch:.2q}"},
		{func(a *ModelCheckpoint) { a.Filename = new("{val/loss:d}") }, "unknown format code 'd' for object of type 'float'"},
	} {
		a := DefaultModelCheckpoint()
		c.change(&a)
		if err := a.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
	var s SaveLast
	if err := s.DecodeConfig("copy"); err == nil {
		t.Error(`save_last: "copy" was accepted`)
	}
}

func checkpointIn(t *testing.T, tr *callbacktest.Trainer, change func(*ModelCheckpoint)) (*Checkpoint, interface{ String() string }) {
	t.Helper()
	a := DefaultModelCheckpoint()
	change(&a)
	built, log := build(t, a)
	ck := built.(*Checkpoint)
	must(t, ck.Setup(tr))
	must(t, ck.StageStart(tr))
	return ck, log
}

func TestModelCheckpointFolder(t *testing.T) {
	root := realTempDir(t)
	for _, c := range []struct {
		name, dirpath, logDir, want string
	}{
		{"of the logger", "", filepath.Join(root, "logs/version_3"), "logs/version_3/checkpoints"},
		{"without a logger", "", "", "checkpoints"},
		{"given", filepath.Join(root, "mine"), filepath.Join(root, "logs"), "mine"},
	} {
		tr := &callbacktest.Trainer{Root: root, Dir: c.logDir, AtStep: 5}
		ck, _ := checkpointIn(t, tr, func(a *ModelCheckpoint) {
			if c.dirpath != "" {
				a.Dirpath = &c.dirpath
			}
		})
		must(t, ck.EpochEnd(tr))
		if want := filepath.Join(root, c.want, "epoch=0-step=5.ckpt"); ck.BestPath() != want || !exists(want) {
			t.Errorf("%s: %s, want %s", c.name, ck.BestPath(), want)
		}
	}
}

func TestModelCheckpointMonitorNobodyLogs(t *testing.T) {
	tr := &callbacktest.Trainer{Root: t.TempDir(), AtStep: 1, Logged: map[string]float64{"val/loss": 1, "acc": 1}}
	ck, log := checkpointIn(t, tr, func(a *ModelCheckpoint) { a.Monitor = new("x") })
	must(t, ck.EpochEnd(tr))
	want := "`ModelCheckpoint(monitor='x')` could not find the monitored key in the returned metrics: ['acc', 'val/loss', 'epoch', 'step']."
	if !strings.Contains(log.String(), want) {
		t.Errorf("before a validation: log %q, want a warning", log)
	}
	tr.InMode = lighter.Val
	must(t, ck.EpochEnd(tr))
	tr.InMode = lighter.Train
	if err := ck.EpochEnd(tr); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestModelCheckpointSavesNothing(t *testing.T) {
	for name, tr := range map[string]*callbacktest.Trainer{
		"in the sanity check":   {AtStep: 1, Sanity: true, InMode: lighter.Val},
		"in another stage":      {AtStep: 1, Command: "validate", InMode: lighter.Val},
		"before the first step": {},
	} {
		tr.Root = t.TempDir()
		ck, _ := checkpointIn(t, tr, func(a *ModelCheckpoint) { a.SaveOnTrainEpochEnd = new(tr.InMode == lighter.Train) })
		must(t, ck.EpochEnd(tr))
		if tr.Saved != nil {
			t.Errorf("%s: saved %q", name, tr.Saved)
		}
	}
}

func TestModelCheckpointByTime(t *testing.T) {
	tr := &callbacktest.Trainer{Root: t.TempDir()}
	ck, _ := checkpointIn(t, tr, func(a *ModelCheckpoint) { a.TrainTimeInterval = new(timedelta.Duration(time.Minute)); a.SaveTopK = -1 })
	at := ck.checked
	ck.now = func() time.Time { return at }
	for range 200 { // 30 s a batch
		tr.AtStep++
		at = at.Add(30 * time.Second)
		must(t, ck.BatchEnd(tr, nil, 0))
	}
	if len(tr.Saved) != 100 || tr.AtStep != 200 {
		t.Errorf("%d checkpoints in 200 batches of half the interval", len(tr.Saved))
	}
}

// A monitored value that validation gives is waited for, so that a step's checkpoint never bears the value of one before.
func TestModelCheckpointWaitsForItsMetric(t *testing.T) {
	tr := &callbacktest.Trainer{Root: t.TempDir(), MidEpoch: true, Logged: map[string]float64{}}
	ck, _ := checkpointIn(t, tr, func(a *ModelCheckpoint) {
		a.Monitor, a.EveryNTrainSteps, a.SaveTopK, a.Filename = new("val"), new(10), -1, new("{step}-{val:.1f}")
	})
	for i := range 3 {
		tr.AtStep, tr.InMode, tr.ValNext = int64(10*i+10), lighter.Train, true
		must(t, ck.BatchEnd(tr, nil, 0))
		tr.InMode, tr.Logged["val"] = lighter.Val, float64(i)
		must(t, ck.EpochEnd(tr))
	}
	if got := filesIn(ck.dir); !slices.Equal(got, []string{"step=10-val=0.0.ckpt", "step=20-val=1.0.ckpt", "step=30-val=2.0.ckpt"}) {
		t.Errorf("files %q", got)
	}
}

func TestModelCheckpointKeepsWhatItResumedFrom(t *testing.T) {
	root := realTempDir(t)
	tr := &callbacktest.Trainer{Root: root, AtStep: 1}
	ck, _ := checkpointIn(t, tr, func(*ModelCheckpoint) {})
	must(t, ck.EpochEnd(tr))
	tr.Resumed = ck.BestPath()
	first := filepath.Base(tr.Resumed)
	for range 2 {
		tr.AtStep++
		must(t, ck.EpochEnd(tr))
	}
	if got := filesIn(ck.dir); !slices.Equal(got, []string{first, "epoch=0-step=3.ckpt"}) {
		t.Errorf("files %q", got)
	}
}

func TestModelCheckpointPassesOnFailures(t *testing.T) {
	full := errors.New("no space left on device")
	tr := &callbacktest.Trainer{Root: t.TempDir(), AtStep: 1, Save: func(string, bool) error { return full }}
	ck, _ := checkpointIn(t, tr, func(*ModelCheckpoint) {})
	if err := ck.EpochEnd(tr); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}

func TestModelCheckpointOnException(t *testing.T) {
	for _, on := range []bool{false, true} {
		tr := &callbacktest.Trainer{Root: t.TempDir(), AtStep: 7}
		ck, _ := checkpointIn(t, tr, func(a *ModelCheckpoint) { a.SaveOnException = on; must(t, a.SaveLast.DecodeConfig(true)) })
		must(t, ck.Exception(tr, errors.New("a bad batch")))
		want := []string{}
		if on {
			want = []string{"epoch=0-step=7.ckpt", "last.ckpt"}
		}
		if got := filesIn(ck.dir); !slices.Equal(got, want) {
			t.Errorf("save_on_exception %v: files %q", on, got)
		}
	}
}

// A run that goes on from a checkpoint's state ranks as if it had not stopped, also among equals.
func TestModelCheckpointState(t *testing.T) {
	s := tensor.Open()
	defer s.Close()
	scores := []float64{0.5, 0.25, 0.25, 0.5, 0.125, 0.25, 0.0625}
	run := func(root string, stop int) (files []string, best string) {
		tr := &callbacktest.Trainer{Root: root, Logged: map[string]float64{}}
		settings := func(a *ModelCheckpoint) { a.Monitor, a.SaveTopK = new("v"), 3; must(t, a.SaveLast.DecodeConfig(true)) }
		ck, _ := checkpointIn(t, tr, settings)
		for i, v := range scores {
			if i == stop {
				state := ck.StateDict()
				ck, _ = checkpointIn(t, tr, settings)
				must(t, ck.LoadStateDict(state))
			}
			tr.AtEpoch, tr.AtStep, tr.Logged["v"] = 12-i, int64(i+1), v // names whose order is not that of time
			must(t, ck.EpochEnd(tr))
		}
		return filesIn(ck.dir), filepath.Base(ck.BestPath())
	}
	files, best := run(t.TempDir(), -1)
	for stop := range scores {
		if f, b := run(t.TempDir(), stop); !slices.Equal(f, files) || b != best {
			t.Errorf("stopped before %d: %q, best %s; not stopped: %q, best %s", stop, f, b, files, best)
		}
	}
}

// What a kill left of a save, its first file, is completed by the run that goes on from it: last.ckpt is made, and what both
// replace removed. Until then that stays.
func TestModelCheckpointCompletes(t *testing.T) {
	s := tensor.Open()
	defer s.Close()
	for _, last := range []any{true, "link"} {
		settings := func(a *ModelCheckpoint) { must(t, a.SaveLast.DecodeConfig(last)) }
		tr := &callbacktest.Trainer{Root: realTempDir(t), AtStep: 1}
		ck, _ := checkpointIn(t, tr, settings)
		var state lighter.Dict
		killed := errors.New("killed")
		tr.Save = func(path string, _ bool) error {
			must(t, os.MkdirAll(filepath.Dir(path), 0o777))
			must(t, os.WriteFile(path, fmt.Append(nil, tr.AtStep), 0o666))
			if tr.AtStep == 2 {
				state = ck.StateDict()
				return killed
			}
			return nil
		}
		must(t, ck.EpochEnd(tr))
		tr.AtStep = 2
		if err := ck.EpochEnd(tr); !errors.Is(err, killed) {
			t.Fatal(err)
		}
		if got := filesIn(ck.dir); !slices.Equal(got, []string{"epoch=0-step=1.ckpt", "epoch=0-step=2.ckpt", "last.ckpt"}) {
			t.Errorf("after the kill: %q", got)
		}
		tr.Resumed, tr.GoesOn = filepath.Join(ck.dir, "epoch=0-step=2.ckpt"), true
		again, log := checkpointIn(t, tr, settings)
		must(t, again.LoadStateDict(state))
		must(t, again.Resumed(tr))
		if got := filesIn(ck.dir); !slices.Equal(got, []string{"epoch=0-step=2.ckpt", "last.ckpt"}) {
			t.Errorf("save_last %v: %q", last, got)
		}
		if data, err := os.ReadFile(filepath.Join(ck.dir, "last.ckpt")); err != nil || string(data) != "2" {
			t.Errorf("save_last %v: last.ckpt holds %q, %v", last, data, err)
		}
		must(t, again.EpochEnd(tr))
		if len(tr.Saved) != 2 || strings.Contains(log.String(), "not empty") {
			t.Errorf("the step was saved twice: %q, or the folder was complained of: %s", tr.Saved, log)
		}
	}
}

func TestModelCheckpointStateOfAnotherFolder(t *testing.T) {
	tr := &callbacktest.Trainer{Root: t.TempDir()}
	ck, log := checkpointIn(t, tr, func(*ModelCheckpoint) {})
	must(t, ck.LoadStateDict(lighter.Dict{"dirpath": "/old", "best_model_path": "/old/a.ckpt", "last_model_path": "/old/last.ckpt"}))
	if ck.bestPath != "/old/a.ckpt" || ck.lastPath != "" || !strings.Contains(log.String(), "The dirpath has changed") {
		t.Errorf("best %q, last %q, log %s", ck.bestPath, ck.lastPath, log)
	}
	if err := ck.LoadStateDict(lighter.Dict{"dirpath": ck.dir, "best_model_score": "high"}); err == nil {
		t.Error("a score that is a str was accepted")
	}
}
