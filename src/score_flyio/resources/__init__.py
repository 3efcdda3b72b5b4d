"""Resource requests of workloads become outputs: matching, order, provisioners, the run."""
