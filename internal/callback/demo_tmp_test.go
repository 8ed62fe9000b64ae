package callback

import (
	"fmt"
	"math"
	"os"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/callback/callbacktest"
	"github.com/lighter-go/lighter/internal/console"
	"github.com/lighter-go/lighter/tensor"
)

func TestDemo(t *testing.T) {
	if os.Getenv("DEMO") == "" {
		t.Skip()
	}
	s := tensor.Open()
	defer s.Close()
	c := console.New(os.Stderr, os.Getenv("DEMO") != "plain", os.Getenv("DEMO") != "nocolor")
	log := zerolog.New(zerolog.ConsoleWriter{Out: c})
	tr := &callbacktest.Trainer{Epochs: 3, Batches: 400, Logged: map[string]float64{}, Network: classifier()}
	sum, _ := ModelSummary{MaxDepth: 1}.Build(&lighter.Env{Console: c})
	sum.(lighter.StageStarter).StageStart(tr)
	b, _ := newProgressBar(c, 1, false)
	p := b.(*progressBar)
	p.StageStart(tr)
	for tr.AtEpoch = range 3 {
		tr.InMode, tr.Batches = lighter.Train, 400
		p.EpochStart(tr)
		for i := range 400 {
			time.Sleep(4 * time.Millisecond)
			k := float64(tr.AtEpoch*400 + i)
			tr.Logged["train/loss/step"] = 2.3 * math.Exp(-k/300)
			tr.Logged["train/metrics/MulticlassAccuracy/step"] = 1 - math.Exp(-k/300)
			p.BatchEnd(tr, nil, i)
			if i == 200 {
				log.Warn().Msgf("something to know at step %d", int(k))
			}
		}
		tr.InMode, tr.Batches = lighter.Val, 100
		p.EpochStart(tr)
		for i := range 100 {
			time.Sleep(8 * time.Millisecond)
			p.BatchEnd(tr, nil, i)
		}
		tr.Logged["val/loss/epoch"] = 0.3
		tr.Logged["val/metrics/MulticlassAccuracy/epoch"] = 0.93
		p.EpochEnd(tr)
		tr.InMode, tr.Batches = lighter.Train, 400
		tr.Logged["train/loss/epoch"] = 0.4
		p.EpochEnd(tr)
	}
	p.StageEnd(tr)
	fmt.Fprintln(c, "done")
}
