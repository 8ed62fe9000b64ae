package engine

import (
	"github.com/lighter-go/lighter"
)

// The hooks that are this program's alone. Each dispatch calls those callbacks that have one, in order.

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

func (t *Trainer) dispatchStageStart() error {
	return dispatch(t, hookStageStart, func(h lighter.StageStarter) error { return h.StageStart(t) })
}

func (t *Trainer) dispatchStageEnd() error {
	return dispatch(t, hookStageEnd, func(h lighter.StageEnder) error { return h.StageEnd(t) })
}

func (t *Trainer) dispatchEpochEnd() error {
	return dispatchNoted(t, 0, hookEpochEnd, func(h lighter.EpochEnder) error { return h.EpochEnd(t) })
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
	for i, c := range t.callbacks[min(from, len(t.callbacks)):] {
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
