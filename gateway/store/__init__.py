"""Everything that outlives the process, in one SQL database. `store.SqlStore` joins the parts."""
