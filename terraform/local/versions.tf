terraform {
  # Write-only arguments came with Terraform 1.11 and OpenTofu 1.11.
  required_version = ">= 1.11"

  required_providers {
    meridian = {
      # Our own, from terraform/provider; prepare.sh puts it into terraform.d/plugins, where no registry is asked.
      source  = "meridian.internal/meridian/meridian"
      version = "0.1.0"
    }
  }
}
