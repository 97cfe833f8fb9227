// Command terraform-provider-meridian lets Terraform and OpenTofu run Meridian on the machine that they run on.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/meridian-store/meridian/terraform/provider/meridian"
)

// address is what configurations name as the provider's source. It needs no registry: terraform/local/prepare.sh puts the
// program where Terraform looks for providers of this machine.
const address = "meridian.internal/meridian/meridian"

func main() {
	debug := flag.Bool("debug", false, "wait for a debugger instead of for Terraform")
	flag.Parse()
	err := providerserver.Serve(context.Background(), meridian.New, providerserver.ServeOpts{Address: address, Debug: *debug, ProtocolVersion: 6})
	if err != nil {
		fmt.Fprintln(os.Stderr, "terraform-provider-meridian:", err)
		os.Exit(1)
	}
}
