package private

import (
	"os/exec"
	"runtime"
)

// spawn runs a child to its end and calls started as soon as it exists.
//
// It keeps one OS thread for the child's whole life. The kernel's parent-death signal follows the thread that forked, not the
// process: were the thread given back, the Go runtime could end it and the server would be shot in the middle of its work.
func spawn(cmd *exec.Cmd, started func()) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return err
	}
	started()
	return cmd.Wait()
}
