package report

import (
	"bytes"
	"encoding/json"
	"html"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func write(t testing.TB, r Run, h *History) string {
	t.Helper()
	var b bytes.Buffer
	must(t, Write(&b, r, h))
	return b.String()
}

// checkWrites writes a history and reads it again.
func checkWrites(t testing.TB, h *History) {
	t.Helper()
	page := write(t, Run{Status: Running}, h)
	again, _, err := Read([]byte(page))
	must(t, err)
	if len(again.series) != len(h.series) {
		t.Errorf("%d series, read again %d", len(h.series), len(again.series))
	}
}

var began = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// exampleRun is a fit that was resumed once.
func exampleRun() (Run, *History) {
	r := Run{
		Title: "lightning_logs/version_3", Stage: "fit", Status: Finished, Config: "trainer:\n  max_epochs: 3\n", Epochs: 3, Of: 3, Updated: began.Add(time.Hour),
		Facts:    []Fact{{"lighter", "v1.2.3"}, {"device", "cpu"}},
		Sessions: []Session{{Began: began, Seconds: 10, To: 200, Status: Interrupted}, {Began: began.Add(time.Minute), Seconds: 20.5, From: 200, To: 300, Status: Finished}},
	}
	h := &History{}
	for i := range int64(300) {
		h.Add("train/loss/step", i, 1/float64(i+1))
		h.Add("train/optimizer/Adam/lr/epoch", i, 0.1)
		h.Add("train/optimizer/Adam/beta1/epoch", i, 0.9)
		if i%100 == 99 {
			h.Add("train/loss/epoch", i, 2/float64(i+1))
			h.Add("val/loss/epoch", i, 3/float64(i+1))
			h.Add("val/metrics/MulticlassAccuracy/epoch", i, float64(i)/300)
			h.Add("val/loss/step", i/100, 0.5)
			h.Add(EpochSeconds, i, 0.25*float64(i+1))
		}
	}
	return r, h
}

// The page loads nothing: it has no address, no element or call that fetches, and a policy that forbids it and lets only its own
// scripts and styles run.
func TestPageLoadsNothing(t *testing.T) {
	r, h := exampleRun()
	page := write(t, r, h)
	for _, pattern := range []string{
		`https?:`, `\bsrc\s*=`, `href="[^"d]`, `url\(`, `@import`, `fetch\(`, `XMLHttpRequest`, `WebSocket`, `EventSource`, `import\(`, `sendBeacon`, `<iframe`, `<object`, `<embed`,
	} {
		if at := regexp.MustCompile(pattern).FindStringIndex(page); at != nil {
			t.Errorf("%s: …%s…", pattern, page[max(0, at[0]-40):min(len(page), at[1]+40)])
		}
	}
	policy := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)
	if policy == nil || !strings.HasPrefix(policy[1], "default-src &#39;none&#39;;") {
		t.Fatalf("the policy is %q", policy)
	}
	for _, part := range regexp.MustCompile(`(?s)<(?:script|style)>(.*?)</(?:script|style)>`).FindAllStringSubmatch(page, -1) {
		if want := strings.NewReplacer("'", "&#39;", "+", "&#43;").Replace(hash(part[1])); !strings.Contains(policy[1], want) {
			t.Errorf("the policy does not let %.40q run", part[1])
		}
	}
	if !strings.Contains(page, "Copyright (c) 2022 Leon Sorokin") {
		t.Error("uPlot's licence is missing")
	}
}

// Whatever a user names things, it is text in the page.
func TestPageEscapes(t *testing.T) {
	const evil = `</script></pre></title><script>alert("x")</script><img onerror=alert(1)>'"&{{.}}` + "\u2028\x00\xff"
	r, h := exampleRun()
	r.Title, r.Stage, r.Reason, r.Config, r.Facts = evil, evil, evil, evil, []Fact{{evil, evil}}
	h.Add(evil, 1, 1)
	h.Add(evil, 2, 2)
	page := write(t, r, h)
	if strings.Contains(page, "<img") || strings.Contains(page, `alert("x")</script>`) {
		t.Error("the text became markup")
	}
	if n := strings.Count(page, "<script"); n != 3 {
		t.Errorf("%d scripts, want 3", n)
	}
	again, _, err := Read([]byte(page))
	must(t, err)
	if name := strings.ToValidUTF8(evil, "\ufffd"); again.byName[name] == nil {
		t.Error("the series is not read again")
	}
}

// A page of a long run, of many metrics, or of a large configuration is under 2 MB.
func TestPageIsSmall(t *testing.T) {
	for name, c := range map[string]struct{ series, rows int }{"long": {20, 100_000}, "wide": {2000, 300}, "one": {1, 1_000_000}} {
		h := &History{}
		for i := range c.series {
			for step := range c.rows {
				h.Add("train/metrics/Metric"+string(rune('a'+i%26))+strings.Repeat("x", i/26)+"/step", int64(step), math.Sin(float64(step)*0.7)*1234.5678)
			}
		}
		page := write(t, Run{Config: strings.Repeat("key: <value>\n", 100_000)}, h)
		if len(page) > 2<<20 {
			t.Errorf("%s: %d bytes", name, len(page))
		}
		if name == "one" && len(page) < 80<<10 {
			t.Errorf("%s: only %d bytes", name, len(page))
		}
	}
}

// A run that goes on reads back what it had drawn.
func TestReadGivesWhatWasWritten(t *testing.T) {
	r, h := exampleRun()
	h.Add("odd", 1, math.NaN())
	h.Add("odd", 2, math.Inf(1))
	h.Add("odd", 3, 1e300)
	for i := range int64(20_000) {
		h.Add("long", i, float64(i%7))
	}
	again, sessions, err := Read([]byte(write(t, r, h)))
	must(t, err)
	if !slices.Equal(sessions, r.Sessions) {
		t.Errorf("sessions %v, want %v", sessions, r.Sessions)
	}
	got, want := valuesOf(again), valuesOf(h)
	for i, v := range want {
		want[i] = strings.ReplaceAll(v, "+Inf", "NaN") // JSON has neither
	}
	if len(got) != len(want) {
		t.Fatalf("%d values, want %d", len(got), len(want))
	}
	for i := range want {
		name, number, _ := strings.Cut(want[i], "=")
		gotName, gotNumber, _ := strings.Cut(got[i], "=")
		var a, b float64
		if name != gotName || json.Unmarshal([]byte(number), &a) == nil && (json.Unmarshal([]byte(gotNumber), &b) != nil || math.Abs(a-b) > 1e-6*math.Abs(a)) {
			t.Fatalf("%s, want %s", got[i], want[i])
		}
	}
	if again.byName["long"].width != h.byName["long"].width {
		t.Errorf("a point of the long series stands for %d values, want %d", again.byName["long"].width, h.byName["long"].width)
	}
	for _, page := range []string{"", "<html>", dataBegin + "{}", dataBegin + "{" + dataEnd, dataBegin + `{"series": 1}` + dataEnd} {
		if _, _, err := Read([]byte(page)); err == nil {
			t.Errorf("%q was taken for a report", page)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"sessions":[{"seconds":1}],"series":[{"name":"a","width":4,"x":[1,2,2,1],"y":[1,null,3]}]}`))
	f.Add([]byte(`{"series":[{"name":"a","width":-1,"x":[9223372036854775807,-9223372036854775808],"y":[1e300,0.1]},{"name":"a","x":[1],"y":[1]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, sessions, err := Read([]byte(dataBegin + string(data) + dataEnd))
		if err != nil {
			return
		}
		for i := range int64(100) {
			h.Add("a", i, float64(i))
		}
		write(t, Run{Sessions: sessions}, h)
		checkWrites(t, h)
	})
}

// What belongs together is in one plot; what never changes, and what has steps of its own, is folded away.
func TestCharts(t *testing.T) {
	r, h := exampleRun()
	for i := range int64(2) {
		for _, name := range []string{
			"val_acc", "train_acc_step", "train_acc_epoch", "lr-Adam/pg1", "lr-Adam/pg1-momentum", "val/loss/epoch/dataloader_idx_1", "train/loss/ce/step", "mine", "train", "test/loss/epoch",
		} {
			h.Add(name, i, float64(i))
		}
		h.Add("once", 7, 1)
	}
	page := write(t, r, h)
	_, rest, _ := strings.Cut(page, dataBegin)
	data, _, _ := strings.Cut(rest, dataEnd)
	var s state
	must(t, json.Unmarshal([]byte(data), &s))
	var got []string
	for _, c := range s.Charts {
		text := c.Title
		if c.Hidden {
			text = "(" + text + ")"
		}
		for _, l := range c.Lines {
			text += "; " + l.Label + " <- " + s.Series[l.Series].Name
		}
		got = append(got, text)
	}
	want := []string{
		"loss; train epoch <- train/loss/epoch; train step <- train/loss/step; val epoch <- val/loss/epoch; val of loader 1 epoch <- val/loss/epoch/dataloader_idx_1; test epoch <- test/loss/epoch",
		"loss/ce; train step <- train/loss/ce/step",
		"MulticlassAccuracy; val epoch <- val/metrics/MulticlassAccuracy/epoch",
		"acc; train epoch <- train_acc_epoch; train step <- train_acc_step; val <- val_acc",
		"lr-Adam/pg1-momentum; lr-Adam/pg1-momentum <- lr-Adam/pg1-momentum",
		"mine; mine <- mine",
		"train; train <- train",
		"learning rate; lr-Adam/pg1 <- lr-Adam/pg1; optimizer/Adam/lr <- train/optimizer/Adam/lr/epoch",
		"seconds per epoch; seconds per epoch <- lighter/seconds per epoch",
		"(loss, by val batches); val step <- val/loss/step",
		"(optimizer/Adam/beta1); train epoch <- train/optimizer/Adam/beta1/epoch",
	}
	if !slices.Equal(got, want) {
		t.Errorf("charts:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// The page says, without its script, how the run stands, what it took and what came out.
func TestPageText(t *testing.T) {
	r, h := exampleRun()
	page := write(t, r, h)
	text := strings.Join(strings.Fields(html.UnescapeString(regexp.MustCompile(`(?s)<script.*?</script>|<style.*?</style>|<!--.*?-->|<[^>]*>`).ReplaceAllString(page, " "))), " ")
	for _, want := range []string{
		"lightning_logs/version_3 fit finished epoch 3 of 3 as of 2026-03-04 06:06:07 +0000",
		"started 2026-03-04 05:06:07 +0000 resumed 2026-03-04 05:07:07 +0000 (once, after step 200) duration 20.5 s since then, 30.5 s in all",
		"epochs 3 of 3 steps 300 steps per second 4.88 time of an epoch 75.0 s the last, 25.0 s to 75.0 s",
		"lighter v1.2.3 device cpu",
		"val/loss/epoch 0.01 299 0.01 299 0.03 99",
		"trainer: max_epochs: 3",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	for _, want := range []string{`<td class="best">0.01</td><td class="muted">299</td><td>0.03</td>`, `<td class="best">0.996667</td>`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s", want)
		}
	}
	r.Status, r.Reason = Failed, "train, epoch 1: it <broke>"
	if page := write(t, r, h); !strings.Contains(page, "fit failed") || !strings.Contains(page, "train, epoch 1: it &lt;broke&gt;") {
		t.Error("the page of a failed run does not say so")
	}
}

func TestDurations(t *testing.T) {
	for seconds, want := range map[float64]string{
		0: "0.00 ms", 0.0042: "4.20 ms", 0.5: "500 ms", 1: "1.00 s", 59.96: "60.0 s", 100: "1m40s", 3723: "1h2m3s", 90061: "1d 1h1m0s",
	} {
		if got := duration(seconds); got != want {
			t.Errorf("%v s: %s, want %s", seconds, got, want)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	h := &History{}
	for i := range int64(100_000) {
		for _, name := range []string{"train/loss/step", "train/metrics/Accuracy/step", "lr-Adam"} {
			h.Add(name, i, math.Sin(float64(i)))
		}
	}
	for b.Loop() {
		write(b, Run{}, h)
	}
}

func BenchmarkAdd(b *testing.B) {
	h := &History{}
	var step int64
	for b.Loop() {
		h.Add("train/loss/step", step, float64(step%9))
		step++
	}
}
