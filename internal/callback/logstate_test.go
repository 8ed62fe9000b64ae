package callback

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/lighter-go/lighter"
)

// A log that is continued from a state is the one that was never left: the rows and columns that came after it are gone.
func TestCSVLoggerContinues(t *testing.T) {
	row := func(l lighter.Logger, step int64, names ...string) {
		t.Helper()
		var scalars []lighter.Scalar
		for _, name := range names {
			scalars = append(scalars, lighter.Scalar{Name: name, Value: float64(step) / 4})
		}
		must(t, l.LogMetrics(scalars, step))
	}
	open := func(dir, folder string) lighter.Logger {
		t.Helper()
		env, _ := envOf(false)
		l, err := CSVLogger{SaveDir: dir, FlushLogsEveryNSteps: 100}.Build(env)
		must(t, err)
		if folder != "" {
			l.(lighter.LogKeeper).Continue(folder)
		}
		must(t, l.Open())
		return l
	}
	metrics := func(l lighter.Logger) string {
		t.Helper()
		must(t, l.Finalize("success"))
		data, err := os.ReadFile(filepath.Join(l.Dir(), "metrics.csv"))
		must(t, err)
		return string(data)
	}
	whole := open(t.TempDir(), "")
	row(whole, 0, "loss", "epoch")
	row(whole, 1, "loss", "epoch")
	row(whole, 1, "val, epoch")
	row(whole, 2, "loss", "epoch")
	want := metrics(whole)

	for _, spoil := range []string{"", "1,2\r\n", "\"torn", "0,1,2,3,4,5,6\r\n"} {
		dir := t.TempDir()
		l := open(dir, "")
		row(l, 0, "loss", "epoch")
		row(l, 1, "loss", "epoch")
		state, written := l.(lighter.LogKeeper).LogState()
		must(t, written())
		path := filepath.Join(l.Dir(), "metrics.csv")
		if data, err := os.ReadFile(path); err != nil || len(data) < 20 {
			t.Fatalf("the rows of the state are not on the disk: %q, %v", data, err)
		}
		row(l, 1, "a column of later")
		row(l, 2, "loss")
		must(t, l.Finalize("failed"))
		data, err := os.ReadFile(path)
		must(t, err)
		must(t, os.WriteFile(path, append(data, spoil...), 0o666))

		again := open(dir, "version_0")
		must(t, again.(lighter.LogKeeper).LoadLogState(state, 2))
		row(again, 1, "val, epoch")
		row(again, 2, "loss", "epoch")
		if got := metrics(again); got != want || again.Dir() != l.Dir() {
			t.Errorf("after %q the log is\n%s\nwant\n%s", spoil, got, want)
		}
		if state, _ := again.(lighter.LogKeeper).LogState(); state["rows"] != int64(4) {
			t.Errorf("%v rows", state["rows"])
		}
	}

	// Without a state the rows of the step and later go, but not those of validation, whose steps are their own.
	dir := t.TempDir()
	l := open(dir, "")
	row(l, 0, "loss", "epoch")
	row(l, 7, "val")
	row(l, 1, "loss", "epoch")
	row(l, 2, "loss", "epoch")
	must(t, l.Finalize("failed"))
	again := open(dir, "version_0")
	must(t, again.(lighter.LogKeeper).LoadLogState(nil, 1))
	if got, want := metrics(again), "epoch,loss,step,val\r\n0,0.0,0,\r\n,,7,1.75\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}

	// Nothing was logged before the checkpoint: the file goes.
	again = open(dir, "version_0")
	must(t, again.(lighter.LogKeeper).LoadLogState(lighter.Dict{"rows": int64(0)}, 0))
	if exists(filepath.Join(again.Dir(), "metrics.csv")) {
		t.Error("the file is still there")
	}
}
