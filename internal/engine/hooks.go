package engine

import (
	"github.com/lighter-go/lighter"
)

// Each dispatch calls those callbacks that have the hook, in order.

func dispatch[H any](t *Trainer, which hook, call func(H) error) error {
	for i, c := range t.callbacks {
		if h, ok := c.(H); ok {
			done := t.profileHook(i, which)
			err := call(h)
			done()
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *Trainer) dispatchSetup() error {
	return dispatch(t, hookSetup, func(h lighter.Setupper) error { return h.Setup(t) })
}

func (t *Trainer) dispatchStageStart() error {
	return dispatch(t, hookStageStart, func(h lighter.StageStarter) error { return h.StageStart(t) })
}

func (t *Trainer) dispatchStageEnd() error {
	return dispatch(t, hookStageEnd, func(h lighter.StageEnder) error { return h.StageEnd(t) })
}

func (t *Trainer) dispatchException(cause error) error {
	return dispatch(t, hookException, func(h lighter.Failer) error { return h.Exception(t, cause) })
}

func (t *Trainer) dispatchEpochStart() error {
	return dispatch(t, hookEpochStart, func(h lighter.EpochStarter) error { return h.EpochStart(t) })
}

func (t *Trainer) dispatchEpochEnd() error {
	return dispatchNoted(t, 0, hookEpochEnd, func(h lighter.EpochEnder) error { return h.EpochEnd(t) })
}

func (t *Trainer) dispatchBatchStart(batch lighter.Value, idx int) error {
	return dispatch(t, hookBatchStart, func(h lighter.BatchStarter) error { return h.BatchStart(t, batch, idx) })
}

func (t *Trainer) dispatchBatchEnd(out lighter.Output, idx int) error {
	return dispatchNoted(t, 0, hookBatchEnd, func(h lighter.BatchEnder) error { return h.BatchEnd(t, out, idx) })
}

func (t *Trainer) dispatchRow(row []lighter.Scalar, step int64) error {
	return dispatch(t, hookRow, func(h lighter.RowTaker) error { return h.Row(t, row, step) })
}

func (t *Trainer) dispatchResumed() error {
	for _, c := range t.callbacks {
		if h, ok := c.(lighter.Resumer); ok {
			if err := h.Resumed(t); err != nil {
				return err
			}
		}
	}
	return nil
}

// dispatchNoted dispatches to the callbacks from one on and notes how many have acted, for a checkpoint that one of them saves.
func dispatchNoted[H any](t *Trainer, from int, which hook, call func(H) error) error {
	for i, c := range t.callbacks[from:] {
		if h, ok := c.(H); ok {
			t.at.called = from + i + 1
			done := t.profileHook(from+i, which)
			err := call(h)
			done()
			if err != nil {
				return err
			}
		}
	}
	t.at.called = len(t.callbacks)
	return nil
}
