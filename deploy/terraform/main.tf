# Applies the plain YAML of ../kubernetes to a cluster, with the Secret and the image of your own:
#   terraform init && terraform apply -var kube_context=… -var image=registry.example.com/open-model-gateway@sha256:…

terraform {
  required_version = ">= 1.3"
  required_providers {
    kubernetes = {
      source  = "hashicorp/kubernetes"
      version = "~> 2.30"
    }
  }
}

variable "kube_config" {
  type        = string
  default     = "~/.kube/config"
  description = "The kubeconfig file"
}

variable "kube_context" {
  type        = string
  default     = null
  description = "The context in it; null takes the current one"
}

variable "namespace" {
  type        = string
  default     = "omg"
  description = "Made here"
}

variable "image" {
  type        = string
  description = "Built from deploy/Dockerfile, best by digest"
}

variable "settings" {
  type        = map(string)
  sensitive   = true
  description = "OMG_MASTER_KEYS, OMG_ADMIN_TOKEN, OMG_DATABASE_URL, OMG_VALKEY_URL, OPENAI_API_KEY …"

  validation {
    condition     = contains(keys(var.settings), "OMG_MASTER_KEYS") && contains(keys(var.settings), "OMG_DATABASE_URL")
    error_message = "Several gateways need OMG_MASTER_KEYS and OMG_DATABASE_URL."
  }
}

provider "kubernetes" {
  config_path    = var.kube_config
  config_context = var.kube_context
}

locals {
  text      = replace(file("${path.module}/../kubernetes/gateway.yaml"), "/image: \"open-model-gateway:[^\"]*\"/", "image: \"${var.image}\"")
  documents = [for part in split("\n---\n", local.text) : yamldecode(part) if can(yamldecode(part).kind)]
  objects   = { for object in local.documents : "${object.kind}/${object.metadata.name}" => object }
}

resource "kubernetes_namespace" "omg" {
  metadata {
    name = var.namespace
  }
}

resource "kubernetes_secret" "settings" {
  metadata {
    name      = "open-model-gateway"
    namespace = kubernetes_namespace.omg.metadata[0].name
  }
  data = var.settings
}

resource "kubernetes_manifest" "gateway" {
  for_each   = local.objects
  manifest   = merge(each.value, { metadata = merge(each.value.metadata, { namespace = var.namespace }) })
  depends_on = [kubernetes_namespace.omg, kubernetes_secret.settings]
}

output "address" {
  value = "http://open-model-gateway.${var.namespace}.svc"
}
