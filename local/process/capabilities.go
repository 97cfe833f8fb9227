package process

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// secbitNoSetuidFixup is SECBIT_NO_SETUID_FIXUP of linux/securebits.h.
const secbitNoSetuidFixup = 1 << 2

// StartCommand starts a command as its Start does, except that the ambient
// capabilities of its SysProcAttr count everywhere in the child. Linux otherwise leaves
// them out while the child is being started and whenever it calls access(2), so that a
// program in a closed folder could neither be started nor find its own files.
func StartCommand(cmd *exec.Cmd) (err error) {
	if cmd.SysProcAttr == nil || len(cmd.SysProcAttr.AmbientCaps) == 0 {
		return cmd.Start()
	}
	// The bits belong to a thread, and the child inherits those of the starting one.
	// That the child keeps all capabilities on changing its user ends with its exec,
	// which leaves it the ambient ones.
	runtime.LockOSThread()
	before, err := unix.PrctlRetInt(unix.PR_GET_SECUREBITS, 0, 0, 0, 0)
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("read secure bits: %w", err)
	}
	if err := setSecureBits(before | secbitNoSetuidFixup); err != nil {
		runtime.UnlockOSThread()
		return err
	}
	err = cmd.Start()
	if restoreErr := setSecureBits(before); restoreErr != nil {
		// The thread stays locked: it ends with its goroutine and is never used again.
		return errors.Join(err, restoreErr)
	}
	runtime.UnlockOSThread()
	return err
}

func setSecureBits(bits int) error {
	if err := unix.Prctl(unix.PR_SET_SECUREBITS, uintptr(bits), 0, 0, 0); err != nil {
		return fmt.Errorf("set secure bits of the starting thread: %w", err)
	}
	return nil
}
