// Starts `ringful lsp` for call scripts, and says what to do where it cannot be started.

const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

async function start() {
    const [command, ...args] = vscode.workspace.getConfiguration("ringful").get("command");
    client = new LanguageClient(
        "ringful",
        "ringful",
        { command, args },
        { documentSelector: [{ language: "ringful" }] },
    );
    try {
        await client.start();
    } catch (error) {
        client = undefined;
        const settings = "Open the setting";
        const chosen = await vscode.window.showErrorMessage(
            `ringful: \`${[command, ...args].join(" ")}\` cannot be started (${error.message}). ` +
                "Install it with `pip install ringful`, or say where it is in `ringful.command`.",
            settings,
        );
        if (chosen === settings) {
            vscode.commands.executeCommand("workbench.action.openSettings", "ringful.command");
        }
    }
}

async function stop() {
    const running = client;
    client = undefined;
    await running?.stop();
}

async function restart() {
    await stop();
    await start();
}

exports.activate = async (context) => {
    context.subscriptions.push(
        vscode.commands.registerCommand("ringful.restart", restart),
        vscode.workspace.onDidChangeConfiguration((change) => {
            if (change.affectsConfiguration("ringful.command")) {
                restart();
            }
        }),
    );
    await start();
};

exports.deactivate = stop;
