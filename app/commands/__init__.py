"""The commands of `forage`, one file for each."""
